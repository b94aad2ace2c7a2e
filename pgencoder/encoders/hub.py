"""Finds where a model is, before anything loads it: the hub's client alone would try for minutes, and say little."""

from __future__ import annotations

import re
from pathlib import Path

from pgencoder.encoders.load import location
from pgencoder.errors import ModelNotFound

PATIENCE = 10.0  # seconds, for the hub's answer

# Names that services give their models, and that are no names of the hub: those have one slash and no colon
SERVICES = re.compile(
    r"\w[\w-]+:(?![\\/]).*|(openai|azure|azure_openai|ollama|models|gemini|vertex_ai|bedrock|litellm)/.*"
)
MODELS_OF_SERVICES = re.compile(
    r"(.*/)?(text-embedding-.*|textembedding-gecko.*|text-multilingual-embedding-.*|gemini-embedding-.*|embedding-\d+"
    r"|embed-(english|multilingual|v\d).*|(amazon|cohere)\..*embed.*|titan-embed.*|voyage-.*|(mistral|codestral)-embed.*"
    r"|jina-(embeddings|clip|colbert)-v\d[\w-]*|nomic-embed-text(:.*)?|mxbai-embed-large|solar-embedding.*)"
)


def find(model: str) -> str:
    """Find what to load a model from: a directory, or a name that the hub knows.

    Without the network it is the directory where an earlier load has kept it. Raises ModelNotFound, which tells apart
    what the hub does not know, a hub that cannot be reached, and models of services.
    """
    path = location(model)
    if Path(path).is_dir():
        return path
    if SERVICES.fullmatch(path) or ("/" not in path and MODELS_OF_SERVICES.fullmatch(path)):
        raise _of_a_service(model)
    from huggingface_hub import HfApi, errors

    try:
        HfApi().model_info(path, timeout=PATIENCE)
    except errors.HFValidationError:
        raise ModelNotFound(
            f"cannot load {model!r}: there is no such directory, and it is no name of the hub (owner/model)"
        ) from None
    except errors.GatedRepoError as error:
        raise ModelNotFound(
            f"cannot load {model!r}: its owner gives access on request only; ask for it on its page at the hub, and"
            " run: hf auth login"
        ) from error
    except errors.RepositoryNotFoundError as error:
        if MODELS_OF_SERVICES.fullmatch(path):
            raise _of_a_service(model) from error
        raise ModelNotFound(
            f"cannot load {model!r}: the hub has no such model, or this user may not see it (hf auth login); give a"
            " directory with safetensors, or a name that the hub knows (owner/model)"
        ) from error
    except errors.HfHubHTTPError:
        return path  # it is there and in trouble: perhaps it gives files
    except Exception as error:  # of whichever HTTP client it uses
        return _kept(model, path, error)
    return path


def _kept(model: str, path: str, reason: Exception) -> str:
    """The directory where the hub's client keeps a model that was loaded before."""
    from huggingface_hub import errors, snapshot_download

    try:
        return snapshot_download(path, local_files_only=True)
    except errors.LocalEntryNotFoundError:
        pass
    if MODELS_OF_SERVICES.fullmatch(path):
        raise _of_a_service(model) from reason
    offline = isinstance(reason, errors.OfflineModeIsEnabled)
    why = "HF_HUB_OFFLINE is set" if offline else f"the hub cannot be reached ({' '.join(str(reason).split())[:100]})"
    raise ModelNotFound(
        f"cannot load {model!r}: it is not on this machine and {why}; give a directory with safetensors, load it once"
        " with the network, or install 'pgencoder[offline]' for the default model"
    ) from reason


def _of_a_service(model: str) -> ModelNotFound:
    return ModelNotFound(
        f"cannot load {model!r}: it is a model of a service; attach the collection in Python with a function that calls"
        f" the service: DenseEncoder(embed_documents, name={model!r})"
    )
