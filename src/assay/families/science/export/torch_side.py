"""What torch says with the weights of a network: the code that taught it, in double precision."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..extras import extra
from ..learning.binned import Binned
from ..learning.forward import forward
from ..learning.projective import Projective
from ..learning.rows import Floats
from .deployed import Deployed


def torch_says(deployed: Deployed, x: Floats) -> tuple[Floats, Floats]:
    """Return scaled values, [rows, outputs], and what the gate looks at, [rows].

    Both are NaN, or an infinity, where the arithmetic makes none of them a number.
    """
    torch: Any = extra("torch")
    head = deployed.head
    named = {n: torch.tensor(w).unsqueeze(0) for n, w in deployed.weights.items()}
    seen = torch.tensor(deployed.scale.inward(x)).unsqueeze(0)
    out, _ = forward(torch, deployed.shape, seen, named)
    if isinstance(head, Projective):
        p, q = head.pair(torch, out, named)
        below = q.unsqueeze(-1)
        value, sure = p * below / (below**2 + head.epsilon**2), q.abs()
    else:
        classes = 1 + len(deployed.reasons)
        sure = torch.softmax(out[..., :classes], dim=-1)[..., 0]
        width = len(deployed.scale.y_mean)
        if isinstance(head, Binned):
            apart = out[..., classes:].reshape(*out.shape[:-1], width, head.bins)
            value = torch.softmax(apart, dim=-1) @ torch.tensor(head.centres)
        else:
            value = out[..., classes : classes + width]
    return np.asarray(value[0].numpy()), np.asarray(sure[0].numpy())
