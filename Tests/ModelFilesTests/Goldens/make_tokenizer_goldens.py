"""Makes the tokenizer goldens: what Hugging Face's fast tokenizer answers to difficult text.

    python3 -m venv /tmp/venv
    /tmp/venv/bin/pip install tokenizers==0.22.1
    /tmp/venv/bin/python make_tokenizer_goldens.py

Writes one folder per kind of tokenizer beside this file: tokenizer.json, with a small vocabulary
made here, and cases.jsonl, one {"text", "ids", "offsets"} a line. The same texts every time.
"""

import json
import pathlib
import random

import tokenizers
from tokenizers import Tokenizer

assert tokenizers.__version__ == "0.22.1", "pinned: Unicode data differ between releases"

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]

# Marks of category Mn with combining classes in every order, and those that are not dropped: Mc
# with a class, signs that Unicode added or reclassified after the library's tables were made.
DROPPED_MARKS = [0x300, 0x301, 0x307, 0x308, 0x316, 0x323, 0x327, 0x334, 0x345, 0x5B0, 0x5BC, 0x64B,
                 0x651, 0x670, 0x93C, 0x94D, 0xE38, 0xF71, 0xF72, 0x3099, 0x20D0, 0xFE20, 0x1D167]
KEPT_MARKS = [0x302E, 0x302F, 0x1B44, 0x1BAA, 0xA953, 0x8D4, 0x8E1, 0x1DFB, 0x1D165, 0x1D16D,
              0x1E000, 0x11442, 0xA9BD, 0x1885, 0x1734, 0x111C9, 0x93E, 0x9BE, 0xBBE]
DECOMPOSING = [0xC9, 0xE9, 0xF1, 0xFC, 0x130, 0x1E9B, 0x1EAD, 0x344, 0x37E, 0x387, 0x1FEF, 0x212A,
               0x212B, 0x2000, 0x2126, 0xF73, 0xF81, 0x958, 0x9CB, 0xB4B, 0x304C, 0x30D7, 0xFB1D,
               0xFB2A, 0x1109A, 0x1D15E, 0x1D1C0, 0x2F800, 0xF900, 0xFA30]
CASES = [0x130, 0x131, 0xDF, 0x1E9E, 0x3A3, 0x3C2, 0x1C5, 0x10A0, 0x13A0, 0x1E921, 0x10400, 0x24B6,
         0xFF21, 0x2160, 0x410, 0x41A]
SPACES = [0x20, 0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x85, 0xA0, 0x1680, 0x2003, 0x2028, 0x2029, 0x202F,
          0x205F, 0x3000]
CONTROLS = [0x00, 0x01, 0x1B, 0x7F, 0x80, 0xAD, 0x61C, 0x180E, 0x200B, 0x200C, 0x200D, 0x200E, 0x2060,
            0xFEFF, 0xFFF9, 0xFFFD, 0xE000, 0xF8FF, 0xF0000, 0xE0001, 0x8E2, 0x110CD]
PUNCTUATION = [0x21, 0x23, 0x24, 0x2D, 0x5B, 0x5D, 0x5F, 0x60, 0x7E, 0xA1, 0xAB, 0xB7, 0x2014, 0x201C,
               0x2026, 0x3001, 0xFF0C, 0x166D, 0x61D, 0x2E43, 0x10D6E, 0x1E95E]
IDEOGRAPHS = [0x4E2D, 0x6587, 0x9FFF, 0x3400, 0x4DBF, 0x20000, 0x2A6DF, 0x2A700, 0x2B820, 0x2B920,
              0x2CEAF, 0x2CEB0, 0x30000]
OTHERS = [0xAC00, 0xAC01, 0xD55C, 0xD7A3, 0x1100, 0x1161, 0x11A8, 0x3042, 0x30AB, 0x627, 0x628, 0x5D0,
          0xE01, 0x915, 0x1F600, 0x1F468, 0x1F3FD, 0x1F1E9, 0xFE0F, 0xFB01, 0x2603, 0x378, 0x50000,
          0xD7FF, 0xFFFF, 0x10FFFF]
LETTERS = list(range(0x61, 0x67)) + [0x41, 0x42, 0x31]
POOLS = [LETTERS, LETTERS, DROPPED_MARKS, KEPT_MARKS, DECOMPOSING, CASES, SPACES, CONTROLS, PUNCTUATION,
         IDEOGRAPHS, OTHERS]


def vocabulary(missing):
    """Nearly every scalar that can result, as a word's beginning and as its continuation."""
    source = {chr(c) for pool in POOLS for c in pool}
    scalars = set()
    for scalar in source:
        for text in (scalar, scalar.lower()):
            scalars |= set(text) | set(tokenizers.normalizers.NFD().normalize_str(text))
    scalars = sorted(s for s in scalars if s not in missing and not s.isspace())
    words = ["abc", "ab", "##bc", "##cab", "fade", "##ef", "\u00e9", "e\u0301", "##\u0301b",
             "\u1112\u1161\u11ab", "##\u302eab"]
    return SPECIAL + list(dict.fromkeys(words + scalars + ["##" + s for s in scalars]))


def definition(lowercase, strip_accents, clean_text=True, chinese=True, added=(), bert=False):
    pieces = vocabulary(missing="f\u2603")
    tokens = [{"content": t, "special": True} for t in SPECIAL] + list(added)
    unused = len(pieces)
    for token in tokens:
        if token["content"] in pieces:
            token["id"] = pieces.index(token["content"])
        else:  # the library numbers them so, whatever the file says
            token["id"] = unused
            unused += 1
        for flag in ("single_word", "lstrip", "rstrip", "normalized", "special"):
            token.setdefault(flag, False)
    ids = {"[CLS]": 2, "[SEP]": 3}
    template = {
        "type": "TemplateProcessing",
        "single": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
                   {"SpecialToken": {"id": "[SEP]", "type_id": 0}}],
        "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
        "special_tokens": {k: {"id": k, "ids": [v], "tokens": [k]} for k, v in ids.items()},
    }
    pair = {"type": "BertProcessing", "sep": ["[SEP]", 3], "cls": ["[CLS]", 2]}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": tokens,
        "normalizer": {"type": "BertNormalizer", "clean_text": clean_text, "handle_chinese_chars": chinese,
                       "strip_accents": strip_accents, "lowercase": lowercase},
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": pair if bert else template,
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True},
        "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
                  "max_input_chars_per_word": 12, "vocab": {p: i for i, p in enumerate(pieces)}},
    }


ADDED = [
    {"content": "<ent>", "special": True, "lstrip": True, "rstrip": True},
    {"content": "<ent>b"},
    {"content": "Word", "single_word": True},
    {"content": "\u00c9a", "normalized": True},
    {"content": "b c", "normalized": True, "single_word": True, "lstrip": True},
    {"content": "\u4e2d", "normalized": True, "rstrip": True},
    {"content": "WORD", "normalized": True},
    {"content": " bc"},
    {"content": " ca", "normalized": True},
]
KINDS = {
    "uncased": definition(True, None),
    "uncased-accents": definition(True, False, bert=True),
    "cased": definition(False, None),
    "raw": definition(False, True, clean_text=False, chinese=False),
    "added-tokens": definition(True, None, added=ADDED),
}


def texts(randomness, whole):
    """Texts of up to 14 scalars or whole tokens, some with one repeated past the word limit."""
    for _ in range(150):
        pools = randomness.sample(POOLS, randomness.choice([2, 3, len(POOLS)]))
        text = ""
        for _ in range(randomness.choice([2, 4, 8, 14])):
            chance = randomness.random()
            if chance < 0.1 or (chance < 0.5 and len(whole) > len(SPECIAL)):
                text += randomness.choice(whole)
            elif chance < 0.12 or chance > 0.99:
                text += chr(randomness.choice(randomness.choice(pools))) * randomness.choice([11, 12, 13])
            else:
                text += chr(randomness.choice(randomness.choice(pools)))
        yield text


def main():
    here = pathlib.Path(__file__).parent
    for kind, contents in KINDS.items():
        folder = here / kind
        folder.mkdir(exist_ok=True)
        encoded = json.dumps(contents, separators=(",", ":"))
        (folder / "tokenizer.json").write_text(encoded + "\n")
        tokenizer = Tokenizer.from_str(encoded)
        whole = [t["content"] for t in contents["added_tokens"]]
        if kind == "added-tokens":
            whole += [" ", "\u3000", "\u00e9a", "E\u0301A", "B  C", "B C", "word", "_", "<ENT>"]
        with open(folder / "cases.jsonl", "w") as file:
            for text in texts(random.Random(kind), whole):
                e = tokenizer.encode(text)
                case = {"text": text, "ids": e.ids, "offsets": [list(o) for o in e.offsets]}
                file.write(json.dumps(case, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
