"""Each kernel that this processor runs equals MaxSim in NumPy, outside the server; fuzzing finds nothing."""

from __future__ import annotations

import ctypes
import enum
import platform
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pgencoder.errors import NativeUnavailable
from pgencoder.kernel import native
from tests.kernel.oracle import Floats, maxsim, signs
from tests.kernel.tokens import bits, halfvecs, vectors

MACHINES = {
    "x86_64": ["avx512", "avx2", "plain"],
    "aarch64": ["neondot", "neon", "plain"],
    "arm64": ["neondot", "neon", "plain"],
}
NAMES = MACHINES.get(platform.machine(), ["plain"])
SIZES = [1, 2, 7, 8, 9, 15, 16, 17, 24, 25, 40]
DIMS = [1, 2, 7, 8, 9, 63, 64, 65, 128, 384, 1000]


class Form(enum.IntEnum):
    """The kernel's `Form`."""

    HALF = 0
    FLOAT = 1
    BIT = 2
    SIGN = 3


PACKED = {
    Form.HALF: (halfvecs, halfvecs),
    Form.FLOAT: (vectors, vectors),
    Form.BIT: (bits, bits),
    Form.SIGN: (halfvecs, bits),
}


class Document(ctypes.Structure):
    """The kernel's `Document`: an array's data."""

    _fields_ = (("data", ctypes.c_char_p), ("size", ctypes.c_size_t), ("count", ctypes.c_int))


@dataclass(frozen=True)
class Kernel:
    library: ctypes.CDLL
    name: str

    def call(self, form: Form, query: Document, documents: list[Document]) -> tuple[int, list[float]]:
        """The status (1: no such kernel here, 2: damaged data or different dimensions) and the scores."""
        found = (ctypes.c_double * len(documents))()
        array = (Document * len(documents))(*documents)
        name = self.name.encode()
        status = self.library.kernel_scores(name, form, ctypes.byref(query), array, len(documents), found)
        return int(status), list(found)

    def runs(self) -> bool:
        token = np.ones((1, 1))
        return self.call(Form.BIT, packed(bits(token), token), [])[0] == 0

    def score(self, form: Form, query: Floats, document: Floats) -> float:
        pack_query, pack_document = PACKED[form]
        arrays = packed(pack_query(query), query), [packed(pack_document(document), document)]
        status, found = self.call(form, *arrays)
        assert status == 0
        return found[0]


def packed(data: bytes, tokens: Floats) -> Document:
    return Document(data, len(data), len(tokens))


def compiled() -> ctypes.CDLL | str:
    """The kernels, or why they cannot be compiled here."""
    try:
        return ctypes.CDLL(str(native.kernel_library()))
    except NativeUnavailable as error:
        return str(error)


LIBRARY = compiled()
RUNS = [name for name in NAMES if not isinstance(LIBRARY, str) and Kernel(LIBRARY, name).runs()]


@pytest.fixture(scope="module")
def library() -> ctypes.CDLL:
    if isinstance(LIBRARY, str):
        pytest.skip(LIBRARY)
    return LIBRARY


@pytest.fixture(scope="module", params=RUNS)
def simd(request: pytest.FixtureRequest, library: ctypes.CDLL) -> Kernel:
    """A kernel that runs here; the others are tried by `test_other_processors`."""
    return Kernel(library, request.param)


@st.composite
def token_pairs(draw: st.DrawFn) -> tuple[Floats, Floats]:
    """Tokens of length 1 that halfvec holds exactly; opposite shifts make every similarity negative."""
    dims = draw(st.sampled_from(DIMS) | st.integers(1, 1000))
    sizes = st.sampled_from(SIZES) | st.integers(1, 40)
    generator = np.random.default_rng(draw(st.integers(0, 2**32)))
    shift = draw(st.sampled_from([-2.0, 0.0, 2.0]))

    def tokens(n: int, shift: float) -> Floats:
        made = generator.standard_normal((n, dims)) + shift
        made /= np.linalg.norm(made, axis=1, keepdims=True)
        return made.astype(np.float16).astype(np.float64)

    return tokens(draw(sizes), shift), tokens(draw(sizes), -shift)


def rounding(query: Floats) -> float:
    """How far a sum of `dims` products of tokens of length 1 may be off in float32, for all query tokens."""
    return float(query.size * np.finfo(np.float32).eps)


def coded(query: Floats) -> Floats:
    """What 8 bits leave of a query: multiples of a 127th of the token's largest value, halves rounded to even."""
    values = query.astype(np.float32)
    scale = np.abs(values).max(axis=1, keepdims=True) / np.float32(127)
    return np.asarray(np.rint(values / scale) * scale.astype(np.float64))


repeated = settings(max_examples=60, deadline=None)


@repeated
@given(token_pairs())
@pytest.mark.parametrize("form", [Form.HALF, Form.FLOAT])
def test_floats_equal_numpy(simd: Kernel, form: Form, pair: tuple[Floats, Floats]) -> None:
    assert simd.score(form, *pair) == pytest.approx(maxsim(*pair), abs=rounding(pair[0]), rel=0)


@repeated
@given(token_pairs(), st.integers(0, 2**32))
def test_vectors_keep_what_halves_would_lose(simd: Kernel, pair: tuple[Floats, Floats], seed: int) -> None:
    query, document = pair
    noise = np.random.default_rng(seed).uniform(-1e-4, 1e-4, query.shape)
    query = (query + noise).astype(np.float32).astype(np.float64)
    found = simd.score(Form.FLOAT, query, document)
    assert found == pytest.approx(maxsim(query, document), abs=1.1 * rounding(query), rel=0)


@repeated
@given(token_pairs())
def test_bits_equal_numpy(simd: Kernel, pair: tuple[Floats, Floats]) -> None:
    hamming = np.array([[np.sum((q > 0) != (d > 0)) for d in pair[1]] for q in pair[0]])
    dims = pair[0].shape[1]
    assert simd.score(Form.BIT, *pair) == pytest.approx(
        float(((dims - 2 * hamming) / dims).max(axis=1).sum()), abs=1e-9
    )


@repeated
@given(token_pairs())
def test_signs_equal_the_quantized_query_in_numpy(simd: Kernel, pair: tuple[Floats, Floats]) -> None:
    found = simd.score(Form.SIGN, *pair)
    assert found == pytest.approx(maxsim(coded(pair[0]), signs(pair[1])), abs=1e-9, rel=0)


@repeated
@given(token_pairs())
def test_signs_are_within_half_a_step_of_each_value(simd: Kernel, pair: tuple[Floats, Floats]) -> None:
    query, document = pair
    steps = np.abs(query).max(axis=1) / 127
    allowed = float(steps.sum() / 2 * np.sqrt(query.shape[1]))
    assert simd.score(Form.SIGN, *pair) == pytest.approx(maxsim(query, signs(document)), abs=allowed * 1.001, rel=0)


@pytest.mark.parametrize("form", Form)
@pytest.mark.parametrize("dims", DIMS)
@pytest.mark.parametrize(("query_tokens", "document_tokens"), [(1, 1), (1, 300), (300, 1)])
def test_opposite_tokens_are_not_lost(
    simd: Kernel, form: Form, dims: int, query_tokens: int, document_tokens: int
) -> None:
    query, document = np.ones((query_tokens, dims)), -np.ones((document_tokens, dims))
    # a code is exact here, so all forms are
    similarity = {Form.HALF: -dims, Form.FLOAT: -dims, Form.BIT: -1, Form.SIGN: -np.sqrt(dims)}[form]
    assert simd.score(form, query, document) == pytest.approx(query_tokens * similarity, rel=1e-6)


@pytest.mark.parametrize("form", Form)
def test_a_document_does_not_depend_on_those_before(simd: Kernel, form: Form) -> None:
    generator = np.random.default_rng(7)
    query = generator.standard_normal((17, 65))
    documents = [generator.standard_normal((n, 65)) for n in (40, 1, 8, 9)]
    pack_query, pack_document = PACKED[form]
    arrays = [packed(pack_document(document), document) for document in documents]
    arrays.insert(2, Document(b"", 0, 0))
    status, found = simd.call(form, packed(pack_query(query), query), arrays)
    assert status == 0
    assert np.isnan(found.pop(2))
    assert found == [simd.score(form, query, document) for document in documents]


def test_a_query_token_of_zeros_counts_nothing(simd: Kernel) -> None:
    assert simd.score(Form.SIGN, np.zeros((1, 65)), np.ones((3, 65))) == 0


@pytest.mark.parametrize("form", [Form.HALF, Form.FLOAT])
@pytest.mark.parametrize("number", [1.0, -1.0])
@pytest.mark.parametrize("count", [2, 3, 8, 9])
def test_nan_loses_to_every_number(simd: Kernel, form: Form, number: float, count: int) -> None:
    for place in range(count):
        document = np.full((count, 9), np.nan)
        document[place] = number
        assert simd.score(form, np.ones((1, 9)), document) == 9 * number
    assert np.isnan(simd.score(form, np.ones((1, 9)), np.full((count, 9), np.nan)))


@pytest.mark.parametrize("form", Form)
def test_damage_and_different_dimensions_are_refused(simd: Kernel, form: Form) -> None:
    tokens = np.ones((3, 65))
    query, document = (pack(tokens) for pack in PACKED[form])
    refused = [
        Document(document[:-4], len(document) - 4, 3),
        Document(document, len(document), 4),
        Document(b"\xff" + document[1:], len(document), 3),
        packed(PACKED[form][1](tokens[:, :64]), tokens),
    ]
    for each in refused:
        assert simd.call(form, packed(query, tokens), [each])[0] == 2


def test_an_unknown_kernel_is_refused(library: ctypes.CDLL) -> None:
    token = np.ones((1, 1))
    assert Kernel(library, "mmx").call(Form.BIT, packed(bits(token), token), [])[0] == 1


def fuzzer(directory: Path, compiler: str, *variables: str) -> Path:
    """The fuzzer, compiled in a copy of the sources."""
    make = shutil.which("make")
    assert make is not None
    sources = shutil.copytree(native.sources(), directory / "native", ignore=shutil.ignore_patterns("build"))
    command = [make, "-f", "kernel.mk", f"CC={compiler}", *variables, "fuzz"]
    built = subprocess.run(command, cwd=sources, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    return sources / "build" / "fuzz"


def fuzzed(*command: str | Path) -> list[str]:
    """The kernels that a run of the fuzzer compared, after it found nothing."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.split("kernels: ")[1].split()


def test_fuzzing_finds_nothing(library: ctypes.CDLL, tmp_path: Path) -> None:
    compiler = shutil.which("gcc") or shutil.which("cc") or shutil.which("clang")
    assert compiler is not None
    probe = tmp_path / "probe.c"
    probe.write_text("int main(void) { return 0; }\n")
    options = ["-fsanitize=address,undefined", "-o", str(tmp_path / "probe")]
    for command in ([compiler, str(probe), *options], [str(tmp_path / "probe")]):
        if subprocess.run(command, capture_output=True, check=False).returncode != 0:
            pytest.skip(f"{compiler} lacks the sanitizers")
    assert fuzzed(fuzzer(tmp_path, compiler), "3000", "1") == RUNS


@pytest.mark.parametrize(
    ("machine", "cpus"),
    [
        # one without AVX2, one without AVX-512; qemu has no processor with AVX-512
        ("x86_64", {"qemu64": ["plain"], "Haswell": ["avx2", "plain"]}),
        ("aarch64", {"cortex-a53": ["neon", "plain"], "max": ["neondot", "neon", "plain"]}),
    ],
)
def test_other_processors(tmp_path: Path, machine: str, cpus: dict[str, list[str]]) -> None:
    """Under emulation each processor chooses the instructions that it has, and they find what plain C finds."""
    compiler, emulator = (shutil.which(name) for name in (f"{machine}-linux-gnu-gcc", f"qemu-{machine}"))
    if compiler is None or emulator is None:
        pytest.skip(
            f"{machine} cannot be emulated: Debian's packages qemu-user and gcc-{machine.replace('_', '-')}-linux-gnu"
        )
    program = fuzzer(tmp_path, compiler, "SANITIZE=-static")
    for cpu, names in cpus.items():
        assert fuzzed(emulator, "-cpu", cpu, program, "1000", "1") == names
