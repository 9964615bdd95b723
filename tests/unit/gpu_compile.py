"""Compiles every kernel for an H100 at Table 6's sizes; run by test_gpu.py.

``python -m tests.unit.gpu_compile bf16`` prints a line for each: name, case, bytes of shared
memory. (``fp32`` compiles too, for longer than a test should take.)
"""

import sys

import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource

from ncabook.automaton.gpu import attention_kernels, kernels

H100 = GPUTarget("cuda", 90, 32)
SIZES = {"M": 64, "CP": 16, "PB": 128, "HP": 128, "LIVING": True}
POINTERS = {
    "*u8": "fire alive",
    "*i32": "offsets blocks entries",
    "*fp32": "state after result gradient d_state bias qkv_bias position b1 b2 products sums",
    "fp32": "scale threshold",
    "i32": "cells height width channels feature_size hidden_size bias_stride fire_stride n_blocks "
    "n_taps n_heads head_size alpha area a_stride b_stride rows splits",
}
TYPES = {name: kind for kind, names in POINTERS.items() for name in names.split()}
CASES = [
    (kernels.conv_forward, {"KEEP": False}),
    (kernels.conv_forward, {"KEEP": True}),
    (kernels.living_mask, {}),
    (kernels.mlp_backward, {}),
    (kernels.conv_backward, {}),
    (kernels.outer_products, {"KA": 16, "KB": 128}),
    (kernels.outer_products, {"KA": 128, "KB": 128}),
    (kernels.outer_products, {"KA": 128, "KB": 16}),
    (attention_kernels.attention_forward, {"KEEP": False}),
    (attention_kernels.attention_forward, {"KEEP": True}),
    (attention_kernels.attention_queries_backward, {}),
    (attention_kernels.attention_keys_backward, {}),
]


def shared_memory(kernel: triton.JITFunction, case: dict, dtype: str) -> int:
    """Bytes that a program of the compiled kernel asks for."""
    constants = {k: v for k, v in {**SIZES, **case}.items() if k in kernel.arg_names}
    signature = {
        name: "constexpr" if name in constants else TYPES.get(name, f"*{dtype}")
        for name in kernel.arg_names
    }
    source = ASTSource(fn=kernel, signature=signature, constexprs=constants)
    pipelined = dtype == "bf16" and "attention" not in kernel.__name__
    options = {"num_warps": 8, "num_stages": 2 if pipelined else 1}
    return triton.compile(source, target=H100, options=options).metadata.shared


for kernel, case in CASES:
    print(kernel.__name__, *case.values(), shared_memory(kernel, case, sys.argv[1]))
