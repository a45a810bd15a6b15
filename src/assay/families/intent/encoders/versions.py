"""The versions of what is computed from the files of an encoder: a start needs them, and not what computes."""

GRAPH = "1"
"""Of an encoder's graph.  Bump it whenever its bytes could change: cached graphs are named by it."""

OPSET = 20
"""LayerNormalization (17) and Gelu (20) as single operators; read by onnxruntime 1.18 and later.
The Attention operator of opset 23 saves 5 % but needs an onnxruntime of the last few months."""

INT8 = "2"
"""Of the arithmetic in integers.  Bump it whenever the bytes of such a graph could change."""

APART = "1"
"""Bump it when a graph and its arrays are divided otherwise: kept files are named by it."""
