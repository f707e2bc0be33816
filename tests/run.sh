#!/usr/bin/env bash
# `make test`: everything that CI runs. FAST=1 executes only the notebooks whose sources changed.
set -euo pipefail
cd "$(dirname "$0")/.."

# Two workers on two cores: one thread each.
export OMP_NUM_THREADS=1 TF_NUM_INTRAOP_THREADS=1 TF_NUM_INTEROP_THREADS=1 NUMBA_NUM_THREADS=2 MPLBACKEND=agg
export DLPHYS_STAND_IN=${DLPHYS_STAND_IN:-1} DLPHYS_RUN=1
export DLPHYS_CACHE_DIR=${DLPHYS_CACHE_DIR:-$PWD/.work/cache} DLPHYS_SCREENSHOTS=${DLPHYS_SCREENSHOTS:-$PWD/.work/screenshots}
mkdir -p "$DLPHYS_CACHE_DIR"

step() { printf '\n== %s\n' "$*"; }

changed() { # stems of the sources that differ from the last commit, or of the last commit if none does
    local files
    files=$(git diff --name-only HEAD -- 'notebooks/source/*.py'; git ls-files --others --exclude-standard 'notebooks/source/*.py')
    [ -n "$files" ] || files=$(git diff --name-only HEAD~1 -- 'notebooks/source/*.py' 2>/dev/null || true)
    for file in $files; do [ -f "$file" ] && basename "$file" .py; done | sort -u
}

step style and types
ruff check .
ruff format --check .
mypy

step notebooks are built from their sources, nothing leaks
dlphys build --check

if [ -n "${FAST:-}" ]; then
    mapfile -t stems < <(changed)
    export DLPHYS_TEST_STEMS="${stems[*]-}"
    step "package; notebooks: ${stems[*]:-none changed}"
    pytest -n 2 --dist worksteal -m "not notebooks"
    notebooks=("${stems[@]/#/notebooks/solution/}")
    notebooks=("${notebooks[@]/%/.ipynb}")
    [ ${#stems[@]} -eq 0 ] && exit 0
else
    step package, checks and student notebooks
    pytest -n 2 --dist worksteal
    notebooks=(notebooks/solution)
fi

step solution notebooks at full settings, verdicts and price tags compared
PYTHONPATH=tests${PYTHONPATH:+:$PYTHONPATH} pytest -n 2 --dist loadfile -o addopts= -o filterwarnings= -p no:cacheprovider -p nbval_prices \
    --nbval --nbval-sanitize-with tests/nbval_sanitize.cfg --nbval-cell-timeout 900 "${notebooks[@]}"
