"""An eight-step pipeline's models, and what any way of letting them leave memory can save.

All of it is arithmetic on sizes: no model is loaded. Models are whole: while one runs, all of it
is in memory.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

PIPELINE: tuple[tuple[str, ...], ...] = (
    ("schp/lip", "schp/atr", "segformer/b2_clothes", "face_parsing_bisenet/79999_iter"),
    (
        "yolov8_pose/yolov8m-pose",
        "hrnet_pose/w48_coco_384x288",
        "openpose/body_pose_model",
        "openpose/hand_pose_model",
    ),
    (
        "u2net/cloth_segm_u2net_latest",
        "u2net/u2net",
        "mobile_sam/mobile_sam",
        "deeplabv3plus/deeplabv3_resnet101_coco_torchvision",
    ),
    ("viton_hd/viton_hd_seg", "viton_hd/viton_hd_gmm", "cp_vton/cp_vton_gmm"),
    (
        "raft/raft_things",
        "torchvision/resnet50",
        "torchvision/resnet101",
        "torchvision/densenet121",
    ),
    ("cp_vton/cp_vton_tom", "viton_hd/viton_hd_alias"),
    (
        "rrdb/RealESRGAN_x4plus",
        "faces/retinaface_mobilenet025",
        "gfpgan/GFPGANv1.4",
        "swinir/swinir_realsr_L_x4",
    ),
    (
        "lpips/lpips_alex",
        "lpips/lpips_vgg",
        "clip/ViT-B-32",
        "faces/arcface_iresnet50",
        "faces/facenet_vggface2",
    ),
)
"""What a pipeline that weighs several models in every step loads, step by step: 30 goldens."""

Rule = Literal["lru", "furthest"]


class Bounds(NamedTuple):
    """The fewest bytes that can be loaded again in the whole run, whatever the rule.

    Attributes:
        whole: models are in memory or not; what was found, at least as many as possible.
        parts: any part of a model may stay while the rest is away.
    """

    whole: float
    parts: float


def reloads(
    plan: Sequence[str], sizes: Mapping[str, int], budget: int, rounds: int, rule: Rule, ahead: int
) -> int:
    """Bytes loaded again by a rule when a plan is run so many times.

    Args:
        plan: models in the order in which they are asked for.
        sizes: bytes of each.
        budget: bytes that may be in memory.
        rounds: how many times the plan is run.
        rule: who leaves: the least recently used, or what is needed furthest in the future.
        ahead: how many models after the current one are fetched while it runs.

    Raises:
        ValueError: what has to be in memory at once does not fit.
    """
    places: dict[str, list[int]] = {}
    for place, name in enumerate(plan):
        places.setdefault(name, []).append(place)
    held: dict[str, int] = {}
    before: set[str] = set()
    again = 0

    def distance(name: str, now: int) -> int:
        return min((place - now - 1) % len(plan) + 1 for place in places[name])

    for now in range(rounds * len(plan)):
        staying: list[str] = []
        for name in active(plan, now, ahead):
            staying.append(name)
            if name in held:
                held[name] = now
                continue
            while sum(sizes[other] for other in held) + sizes[name] > budget:
                may = [other for other in held if other not in staying]
                if not may:
                    raise ValueError(f"{', '.join(staying)} do not fit at once")
                if rule == "lru":
                    del held[min(may, key=lambda other: held[other])]
                else:
                    del held[max(may, key=lambda other: (distance(other, now), sizes[other]))]
            held[name] = now
            if name in before:
                again += sizes[name]
            before.add(name)
    return again


def active(plan: Sequence[str], now: int, ahead: int) -> list[str]:
    """What has to be in memory at one place of a plan that is run again and again."""
    return list(dict.fromkeys(plan[(now + more) % len(plan)] for more in range(ahead + 1)))


def bounds(
    plan: Sequence[str],
    sizes: Mapping[str, int],
    budget: int,
    rounds: int,
    ahead: int,
    patience: float = 10.0,
) -> Bounds:
    """The least that any rule that knew the future could load again (an integer program).

    Between two uses a model stays or not; what stays and what runs never exceed the budget.

    Args:
        plan, sizes, budget, rounds, ahead: as for `reloads`.
        patience: seconds that the solver may look for whole models; what it has then counts.
    """
    import numpy as np
    from scipy.optimize import Bounds as Between
    from scipy.optimize import LinearConstraint, milp
    from scipy.sparse import lil_matrix

    moments = rounds * len(plan)
    last: dict[str, int] = {}
    gaps: list[tuple[str, int, int]] = []
    for now in range(moments):
        name = plan[now % len(plan)]
        if name in last:
            gaps.append((name, last[name], now))
        last[name] = now
    if not gaps:
        return Bounds(0.0, 0.0)
    taken = lil_matrix((moments, len(gaps)))
    free = []
    for now in range(moments):
        running = active(plan, now, ahead)
        free.append(budget - sum(sizes[name] for name in running))
        for number, (name, start, end) in enumerate(gaps):
            if start < now < end and name not in running:
                taken[now, number] = sizes[name]
    saved = np.array([float(sizes[name]) for name, _, _ in gaps])
    found = []
    for whole in (1, 0):
        solved = milp(
            -saved,
            constraints=LinearConstraint(taken.tocsr(), -np.inf, np.array(free, float)),
            integrality=np.full(len(gaps), whole),
            bounds=Between(0, 1),
            options={"time_limit": patience, "mip_rel_gap": 0.002},
        )
        found.append(saved.sum() + (solved.fun if solved.x is not None else 0.0))
    return Bounds(*map(float, found))
