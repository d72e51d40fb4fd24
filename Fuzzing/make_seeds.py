#!/usr/bin/env python3
"""Writes the inputs that the fuzzer starts from: Corpora/TARGET/seed-*. Standard library only.

Inputs on which a reader once failed lie beside them under other names, and stay. Checkpoints, features and proofs are
written by `seeds` of Tests/SeedTests.swift, since only Weft writes them."""
import io, json, pathlib, struct, zipfile

here = pathlib.Path(__file__).resolve().parent
models = here.parent / "Models"


def seed(target, name, content):
    folder = here / "Corpora" / target
    folder.mkdir(parents=True, exist_ok=True)
    if isinstance(content, str):
        content = content.encode()
    (folder / f"seed-{name}").write_bytes(content)


def compact(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def safetensors(header, data):
    text = compact(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def npy(shape, data, descr="<f4", fortran=False, version=1):
    text = f"{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': {shape}, }}\n".encode()
    size = struct.pack("<H" if version == 1 else "<I", len(text))
    return b"\x93NUMPY" + bytes([version, 0]) + size + text + data


def floats(*numbers):
    return struct.pack(f"<{len(numbers)}f", *numbers)


# Numbers
seed("safetensors", "two", safetensors(
    {"__metadata__": {"format": "pt"}, "a.weight": {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]},
     "b": {"dtype": "I64", "shape": [1], "data_offsets": [16, 24]}}, floats(1, -2, 0.5, 3) + struct.pack("<q", -7)))
seed("safetensors", "types", safetensors(
    {name: {"dtype": name, "shape": [1, 1], "data_offsets": [8 * i, 8 * i + size]} for i, (name, size) in
     enumerate([("F64", 8), ("C64", 8), ("U64", 8)])}, bytes(range(24))))
seed("safetensors", "halves", safetensors(
    {"h": {"dtype": "BF16", "shape": [1, 2], "data_offsets": [0, 4]},
     "f": {"dtype": "F16", "shape": [2], "data_offsets": [4, 8]}, "e": {"dtype": "F32", "shape": [0, 3], "data_offsets": [8, 8]},
     "o": {"dtype": "BOOL", "shape": [], "data_offsets": [8, 9]}}, bytes([0, 0x3C, 1, 0x80, 0x80, 0x3F, 0, 0xC0, 1])))
seed("npy", "matrix", npy("(2, 3)", floats(1, 2, 3, 4, 5, 6)))
seed("npy", "columns", npy("(2, 3)", floats(1, 4, 2, 5, 3, 6), fortran=True))
seed("npy", "big", npy("(1, 2)", struct.pack(">2d", 0.1, float("nan")), descr=">f8"))
seed("npy", "scalar", npy("()", b"\x01", descr="|b1", version=2))
seed("npy", "bytes", npy("(3,)", b"\x01\x02\xff", descr="|u1", version=3))
for name, method in [("stored", zipfile.ZIP_STORED), ("deflated", zipfile.ZIP_DEFLATED)]:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        archive.writestr(zipfile.ZipInfo("w.npy"), npy("(2, 2)", floats(1, 2, 3, 4)), method)
        archive.writestr(zipfile.ZipInfo("b.npy"), npy("(2, 1)", floats(5, 6), fortran=True), method)
    seed("npz", name, file.getvalue())
file = io.BytesIO()
with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
    with archive.open(zipfile.ZipInfo("wide.npy"), "w", force_zip64=True) as member:
        member.write(npy("(1,)", floats(1)))
    archive.comment = b"comment"
seed("npz", "wide", file.getvalue())

# Texts
seed("json", "object", '{"a":[1,-2.5e3,true,false,null,"\\u00e9\\ud83d\\ude00\\n"],"b":{"c":{}},"é":[]}')
seed("json", "numbers", "[0,-0,1e400,9223372036854775807,9223372036854775808,-Infinity,1.5]")
seed("json", "deep", "[" * 40 + "]" * 40)
seed("lines", "entities", '{"id":7,"text":"Reed met Ann.","entities":[{"start":0,"end":4,"label":"PER"}]}\r\n\n{"text":"x"}')
seed("lines", "relations", '\ufeff{"text":"abc","relations":[{"subject":{"start":0,"end":1},"predicate":"p",'
     '"object":{"start":1,"end":2}}]}\n{"text":"\\ud800"}\nplain')
seed("lines", "events", '{"text":"abc","events":[{"type":"t","arguments":[{"role":"r","start":0,"end":3,"aliases":["x"]}]}]}')

# Tokenizers
pieces = {word: i for i, word in enumerate("[PAD] [UNK] [CLS] [SEP] [MASK] a b ##a ##b ##ü東 , don ' t".split())}
tokenizer = {
    "added_tokens": [{"id": i, "content": word, "special": True, "single_word": False, "lstrip": word == "[MASK]",
                      "rstrip": False, "normalized": False} for word, i in pieces.items() if word[0] == "["],
    "normalizer": {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True, "strip_accents": None,
                   "lowercase": True},
    "pre_tokenizer": {"type": "BertPreTokenizer"},
    "post_processor": {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}},
                       {"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "[SEP]", "type_id": 0}}],
                       "special_tokens": {"[CLS]": {"id": "[CLS]", "ids": [2], "tokens": ["[CLS]"]},
                                          "[SEP]": {"id": "[SEP]", "ids": [3], "tokens": ["[SEP]"]}}},
    "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
              "max_input_chars_per_word": 100, "vocab": pieces}}
seed("tokenizer", "small", compact(tokenizer) + "\0abba [MASK] Àé\u0301 東a\u2028")
tokenizer["post_processor"] = {"type": "BertProcessing", "sep": ["[SEP]", 3], "cls": ["[CLS]", 2]}
tokenizer["normalizer"]["lowercase"] = False
seed("tokenizer", "cased", compact(tokenizer) + "\0ab")
settings = {"do_lower_case": True, "strip_accents": None, "tokenize_chinese_chars": True, "unk_token": "[UNK]",
            "added_tokens_decoder": {"14": {"content": "<x>", "special": False, "lstrip": True, "normalized": True}}}
seed("vocabulary", "small", "\n".join(pieces) + "\n\0" + compact(settings) + "\0abba <x> ü")
seed("vocabulary", "alone", "\r\n".join(pieces) + "\0\0a b")

# Descriptions
seed("encoder-configuration", "tiny", (models / "litbank-tiny/config.json").read_bytes())
seed("unet-configuration", "digits", (models / "digits-unet/unet/config.json").read_bytes())
seed("head-description", "pointer", (models / "litbank-tiny/globalpointer.json").read_bytes()[:4000])
seed("head-description", "linker", compact(
    {"task": "relations", "labels": ["subject", "object"], "links": ["born in"], "encoder_prefix": "bert.",
     "head": {"kind": "efficient", "dialect": "normal", "head_size": 8},
     "tensors": {"labels": "spans", "head": "head", "tail": "tail"}, "rope": {"labels": True, "links": False}}))
seed("head-description", "events", compact(
    {"task": "events", "labels": ["Attack/trigger", "Attack/place"], "links": ["link"],
     "head": {"kind": "global_pointer", "dialect": "normal", "head_size": 8}}))
seed("scheduler", "digits", (models / "digits-unet/scheduler/scheduler_config.json").read_bytes())
for name, fields in {
    "PNDMScheduler": {"skip_prk_steps": True, "steps_offset": 1}, "LCMScheduler": {"original_inference_steps": 50},
    "DPMSolverMultistepScheduler": {"algorithm_type": "sde-dpmsolver++", "use_karras_sigmas": True},
    "EulerDiscreteScheduler": {"timestep_spacing": "linspace", "interpolation_type": "log_linear"},
    "UniPCMultistepScheduler": {"solver_order": 3, "disable_corrector": [0]}, "ScoreSdeVeScheduler": {"sigma_max": 50},
    "DDIMScheduler": {"beta_schedule": "squaredcos_cap_v2", "rescale_betas_zero_snr": True, "timestep_spacing": "trailing"},
    "HeunDiscreteScheduler": {"use_exponential_sigmas": True}, "DDPMScheduler": {"trained_betas": [0.1, 0.2, 0.3]},
}.items():
    seed("scheduler", name, compact({"_class_name": name, "num_train_timesteps": 100, "beta_start": 0.001,
                                     "beta_end": 0.02, "prediction_type": "v_prediction", **fields}))
seed("gamma-table", "two", '{"format":"weft-gamma","version":2,"entries":[[0,0.9999,0.99],[499.5,0.07,0.92],[999,4e-05,0.97]]}')
seed("gamma-table", "one", '{"format":"weft-gamma","version":1,"entries":[[0,0.99],[1,0.97]]}')
