// Nothing to call: linking it is enough, see ThreadSanitizer.c.
