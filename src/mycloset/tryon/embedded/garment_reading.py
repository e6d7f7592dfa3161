"""A garment's front and its parts, ready to be placed on a body."""

from __future__ import annotations

import cv2
import numpy as np

from mycloset.images import Picture
from mycloset.tasks.garments import Category, GarmentShape, SleeveLength
from mycloset.tasks.masks import Mask
from mycloset.tryon.embedded.placement import GarmentParts


def read_parts(mask: Mask, shape: GarmentShape, picture: Picture) -> GarmentParts:
    """Split a garment into the parts that move by themselves, without the inside of its back."""
    L = shape.points; H, W = mask.alpha.shape; m = mask.binary; regs = {}
    front = mask.alpha
    nl = np.zeros((0, 2), np.float32)
    if shape.category is not Category.LOWER:
        tor = m.copy()
        if shape.sleeves is not SleeveLength.NONE:
            for s in ("left", "right"):
                a, b = L[f"shoulder_{s}"], L[f"armpit_{s}"]
                ys, xs = np.mgrid[0:H, 0:W]
                side = (b[0]-a[0])*(ys-a[1])-(b[1]-a[1])*(xs-a[0])
                d = 1 if s == "left" else -1
                out = (side*d < 0) & ((xs-(L["collar_left"][0]+L["collar_right"][0])/2)*d > 0)
                regs[f"sleeve_{s}"] = m & out; tor &= ~out
        n = [L["collar_left"], L["neck_front"], L["collar_right"]]
        t = np.linspace(0, 1, 15)[:, None]
        nl = ((1-t)**2*n[0]+2*t*(1-t)*(n[1]*2-(n[0]+n[2])/2)+t**2*n[2]).astype(np.float32)
        poly = np.concatenate([nl, [[n[2][0], 0], [n[0][0], 0]]]).astype(np.int32)
        c = np.zeros((H, W), np.uint8); cv2.fillPoly(c, [poly], 1)
        front = (mask.alpha*(c == 0)).astype(np.float32)
        regs["torso"] = tor & (c == 0)
    elif shape.legs:
        xs = np.arange(W)[None].repeat(H, 0)
        regs["leg_left"] = m & (xs >= L["crotch"][0]); regs["leg_right"] = m & (xs < L["crotch"][0])
    else:
        regs["skirt"] = m
    return GarmentParts(shape, front, regs, nl)
