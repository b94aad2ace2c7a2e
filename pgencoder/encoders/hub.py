"""Finds where a model is before anything loads it: the hub's client alone tries for minutes, and says little."""

from __future__ import annotations

from pathlib import Path

from pgencoder.encoders.loading import location
from pgencoder.encoders.services import FORMS
from pgencoder.errors import ModelNotFound

PATIENCE = 10.0  # seconds, for the hub's answer

OF_A_SERVICE = f"for a model of a service write {FORMS}"


def find(model: str, of_a_service: str = OF_A_SERVICE) -> str:
    """Find what to load a model from: a directory, or a name that the hub knows; `of_a_service` ends the errors.

    Without the network it is the directory where an earlier load has kept it. Raises ModelNotFound, which says whether
    the hub does not know the model or cannot be reached.
    """
    path = location(model)
    if Path(path).is_dir():
        return path
    from huggingface_hub import HfApi, errors

    try:
        HfApi().model_info(path, timeout=PATIENCE)
    except errors.HFValidationError:
        raise ModelNotFound(
            f"cannot load {model!r}: there is no such directory, and no name of the hub is like this (owner/model);"
            f" {of_a_service}"
        ) from None
    except errors.GatedRepoError as error:
        raise ModelNotFound(
            f"cannot load {model!r}: its owner gives access on request only; ask for it on its page at the hub, and"
            " run: hf auth login"
        ) from error
    except errors.RepositoryNotFoundError as error:
        raise ModelNotFound(
            f"cannot load {model!r}: the hub has no such model, or this user may not see it (hf auth login); give a"
            f" directory with safetensors, or a name that the hub knows (owner/model); {of_a_service}"
        ) from error
    except errors.HfHubHTTPError:
        return path  # the hub is in trouble, but may still give files
    except Exception as error:  # of the HTTP client that it uses
        return _kept(model, path, error, of_a_service)
    return path


def _kept(model: str, path: str, reason: Exception, of_a_service: str) -> str:
    """Return the directory where the hub's client keeps a model that was loaded before."""
    from huggingface_hub import errors, snapshot_download

    try:
        return snapshot_download(path, local_files_only=True)
    except errors.LocalEntryNotFoundError:
        pass
    offline = isinstance(reason, errors.OfflineModeIsEnabled)
    why = "HF_HUB_OFFLINE is set" if offline else f"the hub cannot be reached ({' '.join(str(reason).split())[:100]})"
    raise ModelNotFound(
        f"cannot load {model!r}: it is not on this machine and {why}; give a directory with safetensors, load it once"
        f" with the network, or install 'pgencoder[offline]' for the default model; {of_a_service}"
    ) from reason
