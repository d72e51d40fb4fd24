// A target of C needs a source; the function itself is libFuzzer's.
