"""Presets on the Hugging Face Hub: fetch one by its address, and push one."""

import re
from pathlib import Path
from typing import Any

from keras_contrastive.presets.folder import CARD, ENCODER, RECIPE, RESULTS, read_results
from keras_contrastive.presets.weights import check_sha256

PREFIX = "hf://"
_ADDRESS = re.compile(r"hf://([\w.-]+/[\w.-]+)(?:@([\w./-]+))?")
_PICTURES = "*.png"


def download_preset(address: str) -> Path:
    """Fetch the files of a preset, or find them in huggingface-hub's cache.

    Args:
        address: `hf://owner/name`, or `hf://owner/name@revision` for a branch, tag or commit.

    Returns:
        The folder with the files.

    Raises:
        ValueError: On another address, or one where there is nothing to read.
        ImportError: Without huggingface-hub.
    """
    repo, revision = _parse(address)
    hub = _hub()
    try:
        # Of what an owner may have put there, no code and nothing but a preset's files.
        files = [ENCODER, RESULTS, RECIPE, CARD]
        return Path(hub.snapshot_download(repo, revision=revision, allow_patterns=files))
    except (hub.errors.HfHubHTTPError, hub.errors.LocalEntryNotFoundError) as error:
        raise ValueError(
            f"Expected a preset at {address} that can be read from here. Received: {error}. Check "
            f"the address and the network; a private one needs `hf auth login` or HF_TOKEN."
        ) from error


def push_to_hub(folder: str | Path, address: str, private: bool = False) -> str:
    """Push a preset folder to the Hugging Face Hub, where `from_preset` finds it.

    Log in once before, with `hf auth login`, or set HF_TOKEN.

    Args:
        folder: A folder that `save_to_preset` or `keras-contrastive zoo add` wrote. Its encoder,
            figures, recipe, card and pictures are pushed, and nothing else that lies there.
        address: `hf://owner/name`; made if it does not exist.
        private: Whether a new one is private. Default `False`.

    Returns:
        The URL of the commit.

    Raises:
        ValueError: On a folder that is not a preset or whose weights are not the measured ones,
            an address of another form, or a refusal of the hub.
        ImportError: Without huggingface-hub.
    """
    folder = Path(folder)
    repo, revision = _parse(address)
    check_sha256(folder / ENCODER, str(read_results(folder).get("sha256")))
    hub = _hub()
    api = hub.HfApi()
    try:
        api.create_repo(repo, private=private, exist_ok=True)
        commit = api.upload_folder(
            repo_id=repo,
            folder_path=folder,
            revision=revision,
            allow_patterns=[ENCODER, RESULTS, RECIPE, CARD, _PICTURES],
            commit_message=f"Preset {folder.resolve().name}",
        )
    except hub.errors.HfHubHTTPError as error:
        raise ValueError(
            f"Expected to be allowed to write {address}. Received: {error}. Log in with "
            f"`hf auth login`, or set HF_TOKEN to a token that may write there."
        ) from error
    return str(commit.commit_url)


def _parse(address: str) -> tuple[str, str | None]:
    match = _ADDRESS.fullmatch(address)
    if match is None:
        raise ValueError(
            f"Expected an address hf://owner/name or hf://owner/name@revision. "
            f"Received: {address!r}."
        )
    return match[1], match[2]


def _hub() -> Any:
    try:
        import huggingface_hub
    except ImportError:
        raise ImportError(
            f"Addresses {PREFIX}owner/name need huggingface-hub: "
            f"pip install 'keras-contrastive[hub]'."
        ) from None
    return huggingface_hub
