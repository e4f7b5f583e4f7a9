"""Adapters of a project: a folder each, checked before anything in it is loaded, with a card that says what it is."""

from __future__ import annotations

import json
import math
import os
import platform
import shutil
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ftrag.errors import InputError, ModelError
from ftrag.models import Loaded
from ftrag.project import new_id, read_json, write_bytes
from ftrag.training import checkpoints

WEIGHTS, CONFIG, CARD = "adapter_model.safetensors", "adapter_config.json", "card.json"
MAX_HEADER = 16 << 20  # bytes; a LoRA of a 70B model has about 1 MiB
MAX_RANK = 1024
DTYPES = {"F32": 4, "F16": 2, "BF16": 2}  # bytes per number
EXPONENTS = {"F32": ("<u4", 0x7F800000), "BF16": ("<u2", 0x7F80), "F16": ("<u2", 0x7C00)}  # all ones: not finite
PICKLES = {".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt"}


def contents(model: Any, card: Mapping[str, Any], state: Mapping[str, Any]) -> dict[str, bytes]:
    """The files of an adapter. state: peft's names -> tensors. The configuration names no local path."""
    from safetensors.torch import save

    config = model.peft_config["default"].to_dict()
    config |= {"base_model_name_or_path": card["base"]["name"], "inference_mode": True}
    plain = json.dumps(config, default=_plain, indent=1, sort_keys=True)
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in state.items()}
    return {
        WEIGHTS: save(tensors, metadata={"format": "pt"}),
        CONFIG: plain.encode(),
        CARD: json.dumps(card, indent=1, ensure_ascii=False, allow_nan=False).encode(),
        "README.md": model_card(card).encode(),
    }


def _plain(value: Any) -> Any:
    return sorted(value) if isinstance(value, set | frozenset) else str(value)


def save(files: Mapping[str, bytes], adapters: Path, work: Path) -> str:
    """Commit an adapter under a new id in the adapters folder, by rename: it is there whole or not at all."""
    checkpoints.commit(work / "adapter", files, last=CARD)
    id_ = new_id()
    os.rename(work / "adapter", adapters / id_)
    checkpoints.sync_folder(adapters)
    return id_


def list_adapters(project: Path) -> list[dict[str, Any]]:
    """Cards of the project's adapters with their id, oldest first."""
    return [read_json(path) | {"id": path.parent.name} for path in sorted(project.glob(f"adapters/[!.]*/{CARD}"))]


def check(path: Path, loaded: Loaded) -> None:
    """Refuse an adapter folder that must not be loaded onto these weights, before any of it is loaded.

    Only safetensors are taken: a pickle runs code. Header, shapes, rank, numbers and the base's fingerprint are
    checked from the file itself. Raises ModelError that says which.
    """
    if not path.is_dir():
        raise ModelError(f"{path.name} is not an adapter folder; choose one with {WEIGHTS} and {CONFIG}")
    pickles = [file.name for file in path.rglob("*") if file.suffix.lower() in PICKLES]
    if pickles:
        raise ModelError(f"{path.name} holds {pickles[0]}, a pickle that can run code; save it as {WEIGHTS} instead")
    config = _config(path)
    header, offset = _header(path)
    _check_shapes(path.name, header, config, loaded.model)
    _check_base(path, loaded)
    _check_numbers(path, header, offset)


def _config(path: Path) -> dict[str, Any]:
    file = path / CONFIG
    if not file.is_file() or file.stat().st_size > 1 << 20:
        raise ModelError(f"{path.name} has no usable {CONFIG}; export the adapter again")
    try:
        config = json.loads(file.read_bytes())
    except ValueError as error:
        raise ModelError(f"{CONFIG} in {path.name} is not valid JSON; export the adapter again") from error
    rank = config.get("r") if isinstance(config, dict) else None
    if not isinstance(config, dict) or str(config.get("peft_type")).upper() != "LORA":
        raise ModelError(f"{path.name} is not a LoRA adapter; only LoRA can be loaded")
    if not isinstance(rank, int) or not 1 <= rank <= MAX_RANK:
        raise ModelError(f"{path.name} has the rank {rank}; a rank from 1 to {MAX_RANK} can be loaded")
    if config.get("auto_mapping") or config.get("modules_to_save") or config.get("trainable_token_indices"):
        raise ModelError(f"{path.name} replaces whole modules of the model; only plain LoRA matrices are loaded")
    return config


def _header(path: Path) -> tuple[dict[str, Any], int]:
    """(tensor name -> {dtype, shape, data_offsets}, where the numbers begin) of the safetensors file."""
    file = path / WEIGHTS
    if not file.is_file():
        raise ModelError(f"{path.name} has no {WEIGHTS}; only safetensors are loaded")
    size = file.stat().st_size
    with file.open("rb") as stream:
        first = stream.read(8)
        length = struct.unpack("<Q", first)[0] if len(first) == 8 else 0
        if not 2 <= length <= min(MAX_HEADER, size - 8):
            raise ModelError(
                f"{WEIGHTS} in {path.name} has a header of {length:,} bytes; the file is damaged or hostile"
            )
        try:
            header = json.loads(stream.read(length))
        except (ValueError, RecursionError) as error:
            raise ModelError(f"{WEIGHTS} in {path.name} has an unreadable header; export the adapter again") from error
    if not isinstance(header, dict):
        raise ModelError(f"{WEIGHTS} in {path.name} has an unreadable header; export the adapter again")
    header.pop("__metadata__", None)
    return header, 8 + length


def _check_shapes(name: str, header: Mapping[str, Any], config: Mapping[str, Any], model: Any) -> None:
    """Every tensor is a LoRA matrix of a layer that the model has, with that layer's width and the stated rank."""
    layers = {key: module for key, module in model.named_modules() if hasattr(module, "weight")}
    layers |= {key.removesuffix(".base_layer").removeprefix("base_model.model."): m for key, m in layers.items()}
    rank = config["r"]
    if not header:
        raise ModelError(f"{name} holds no weights; export the adapter again")
    for key, entry in header.items():
        layer, _, which = key.removeprefix("base_model.model.").rpartition(".lora_")
        module = layers.get(layer)
        if module is None or which not in {"A.weight", "B.weight"}:
            raise ModelError(
                f"{name} has weights for {key[:80]}, which this model does not have; it is for another one"
            )
        rows, columns = module.weight.shape
        expected = [rank, columns] if which == "A.weight" else [rows, rank]
        entry = entry if isinstance(entry, dict) else {}
        shape, offsets = entry.get("shape"), entry.get("data_offsets")
        numbered = isinstance(offsets, list) and [type(offset) for offset in offsets] == [int, int]
        if shape != expected or entry.get("dtype") not in DTYPES or not numbered:
            raise ModelError(f"{name} has the shape {shape} for {key[-60:]} where this model needs {expected}")


def _check_base(path: Path, loaded: Loaded) -> None:
    """Adapters of ours name the weights they were trained on; others are held to their shapes alone."""
    if not (path / CARD).is_file():
        return
    base = read_json(path / CARD).get("base", {})
    if base.get("fingerprint") != loaded.fingerprint:
        raise ModelError(
            f"adapter {path.name} was trained on {base.get('name')} with other weights "
            f"({str(base.get('fingerprint'))[:8]}, not {loaded.fingerprint[:8]}); load that model or train again"
        )


def _check_numbers(path: Path, header: Mapping[str, Any], offset: int) -> None:
    """Offsets cover the file exactly and every number is finite: one exponent test over the raw bytes."""
    import numpy as np

    data = np.memmap(path / WEIGHTS, dtype=np.uint8, mode="r", offset=offset)
    end = 0
    for key, entry in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
        low, high = entry["data_offsets"]
        if low != end or high - low != math.prod(entry["shape"]) * DTYPES[entry["dtype"]] or high > data.size:
            raise ModelError(f"{WEIGHTS} in {path.name} is cut off or overlaps at {key[-60:]}; copy it again")
        kind, exponent = EXPONENTS[entry["dtype"]]
        bits: Any = data[low:high].view(kind)
        if bool(((bits & np.array(exponent, dtype=kind)) == exponent).any()):
            raise ModelError(f"{path.name} holds numbers that are not finite in {key[-60:]}; its training went wrong")
        end = high
    if end != data.size:
        raise ModelError(f"{WEIGHTS} in {path.name} has {data.size - end:,} bytes too many; copy it again")


def export(project: Path, adapter: str, merge: bool = False, loaded: Loaded | None = None) -> list[Path]:
    """Files that load elsewhere, under project/exports: the adapter for peft, or the whole model with it merged in.

    merge needs the base model as `loaded`; it is left as it was. Raises ModelError where adapter and base differ.
    """
    source = project / "adapters" / adapter
    target = project / "exports" / f"{adapter}{'-merged' if merge else ''}"
    if not (source / CARD).is_file():
        raise InputError(f"there is no adapter {adapter!r} to export; train one first")
    if not merge:
        names = (WEIGHTS, CONFIG, CARD, "README.md")
        checkpoints.commit(target, {name: (source / name).read_bytes() for name in names})
        return sorted(target.iterdir())
    if loaded is None:
        raise InputError("merging needs the base model; load it first")
    return _export_merged(source, target, loaded)


def _export_merged(source: Path, target: Path, loaded: Loaded) -> list[Path]:
    """Merged in float32 and written in the base's own precision: bf16 additions would round the LoRA away."""
    import copy

    import torch
    from peft import PeftModel

    check(source, loaded)
    base = loaded.model.get_base_model() if hasattr(loaded.model, "get_base_model") else loaded.model
    fresh = type(base)(copy.deepcopy(base.config)).to(torch.float32)
    state = {key.replace(".base_layer.", "."): value for key, value in base.state_dict().items() if ".lora_" not in key}
    fresh.load_state_dict(state)
    merged = PeftModel.from_pretrained(fresh, str(source)).merge_and_unload().to(getattr(torch, loaded.dtype))
    partial = target.with_name(f".partial-{target.name}")
    shutil.rmtree(partial, ignore_errors=True)
    merged.save_pretrained(partial)
    loaded.tokenizer.save_pretrained(partial)
    for name in (CARD, "README.md"):
        write_bytes(partial / name, (source / name).read_bytes())
    shutil.rmtree(target, ignore_errors=True)
    os.rename(partial, target)
    return sorted(target.iterdir())


def software() -> dict[str, str]:
    """Versions that shape a training."""
    from importlib.metadata import version

    packages = ("torch", "transformers", "peft", "accelerate")
    return {"python": platform.python_version()} | {package: version(package) for package in packages}


def model_card(card: Mapping[str, Any]) -> str:
    """The README of an adapter: what it is, from what, and how it is loaded; no local path in it."""
    base, data, settings = card["base"], card["data"], card["settings"]
    held_out = "not measured" if card["eval_loss"] is None else f"{card['eval_loss']:.3f}"
    return f"""---
library_name: peft
base_model: {base["repo"]}
tags: [lora]
---
# LoRA adapter for {base["name"]}

Trained by ftrag on {data["rows"]} rows (SHA-256 `{data["sha256"]}`) for {card["steps"]} steps.
Rank {settings["rank"]}, learning rate {settings["learning_rate"]}, seed {settings["seed"]}.
Training loss {card["train_loss"]:.3f}, held-out loss {held_out}.
It fits only weights with the fingerprint `{base["fingerprint"]}`.

```python
from peft import PeftModel
from transformers import AutoModelForCausalLM

model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained("{base["repo"]}"), "this-folder")
```
"""
