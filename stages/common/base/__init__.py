"""What every stage stands on."""

import os

# for numpy and the BLAS of numpy and scipy, which read it when they are loaded: what only newer
# processors have is left unused, as its functions and sums differ in the last bits
os.environ |= {
    "NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4 AVX512_ICL AVX512_SPR",
    "OPENBLAS_CORETYPE": "Nehalem",
    "OPENBLAS_NUM_THREADS": "1",
}
