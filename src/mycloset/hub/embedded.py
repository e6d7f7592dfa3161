"""The embedded networks at work: everybody in a picture, with pose, silhouette and face."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mycloset.architectures.blazeface import processing as faces
from mycloset.architectures.blazeface.layout import SHORT_RANGE
from mycloset.architectures.blazepose import detection, landmarks
from mycloset.architectures.blazepose.landmarks import BodyReading
from mycloset.architectures.blazepose.layout import DETECTOR, LANDMARKER
from mycloset.architectures.face_mesh import processing as meshes
from mycloset.architectures.face_mesh.layout import FACE_MESH
from mycloset.architectures.layouts import NetworkLayout
from mycloset.architectures.regions import Region
from mycloset.architectures.selfie_segmentation import processing as selfie
from mycloset.architectures.selfie_segmentation.layout import GENERAL
from mycloset.hub import catalogue, download, silhouettes
from mycloset.hub.entries import Entry
from mycloset.hub.https import Progress
from mycloset.images import RGB
from mycloset.runtimes.litert import LiteRTSession
from mycloset.tasks.people import Face, Person
from mycloset.tasks.poses import Pose

Floats = NDArray[np.float32]

NETWORKS: tuple[NetworkLayout, ...] = (DETECTOR, LANDMARKER, GENERAL, SHORT_RANGE, FACE_MESH)

PRESENCE = 0.5
"""What the landmark network must say of a region before it counts as a person.

MediaPipe's own threshold. On photographs the answers lie near 0 or above 0.85, so that little
depends on it.
"""

FAINT = 0.25
"""What the detector must say where nothing else was found; bodies without a head get little."""

HEAD_LENGTHS = (3.2, 1.6)
"""From a face's centre down to the hips, in face boxes: standing, and cut off or bowed."""


@dataclass(frozen=True)
class _Needed:
    """What must be said of a region before it counts as a person.

    The landmark network alone also finds people in the eye of a cat, and the selfie network
    overlooks people in the background: how much both must say depends on what led there.

    Attributes:
        presence: by the landmark network.
        agreement: share of its silhouette that the selfie network must call a person.
    """

    presence: float
    agreement: float


SURE = _Needed(PRESENCE, 0.05)
GUESSED = _Needed(0.9, 0.5)


@dataclass(frozen=True)
class _Body:
    """A person as the networks see one: landmarks, and where the selfie network saw people."""

    reading: BodyReading
    look: tuple[Region, Floats] | None


class BodyModel:
    """Finds people with MediaPipe's networks; safe to call from several threads.

    Args:
        threads: how many threads one forward may use.
        on_progress: told how far it is when files have to be fetched.
        locate: gives the file of a network by its layout's name; by default from the cache, which
            fetches it the first time.
    """

    def __init__(
        self,
        threads: int = 1,
        *,
        on_progress: Progress | None = None,
        locate: Callable[[str], Path] | None = None,
    ) -> None:
        self._threads = threads
        self._locate = locate or partial(download.ensure, on_progress=on_progress)
        self._sessions: dict[str, LiteRTSession] = {}
        self._lock = threading.Lock()

    @property
    def info(self) -> tuple[Entry, ...]:
        """What serves: name, licence, source and checksum of every network."""
        known = catalogue.load()
        return tuple(known.entry(layout.name) for layout in NETWORKS)

    @property
    def forward_seconds(self) -> float:
        """Time spent in the networks so far, all of them together."""
        with self._lock:
            return sum(session.seconds for session in self._sessions.values())

    @property
    def forward_calls(self) -> dict[str, int]:
        """Forwards so far, by network."""
        with self._lock:
            return {name: session.calls for name, session in self._sessions.items()}

    def load(self) -> None:
        """Open all networks now rather than at the first picture."""
        for layout in NETWORKS:
            self._session(layout)

    def find_people(self, picture: RGB) -> tuple[Person, ...]:
        """Everybody in a picture, the largest first.

        Args:
            picture: (H, W, 3) uint8.

        Returns:
            One Person each, with a BlazePose-33 pose, the person's own silhouette, and the face
            where one is seen. Empty where there is nobody.

        Raises:
            ModelFileError: a network's file is missing or damaged.
            DownloadError: it is not in the cache and could not be brought.
        """
        found = self._find_bodies(picture)
        masks = silhouettes.separate(
            picture, [body.reading for body in found], [body.look for body in found]
        )
        people = [
            Person(body.reading.pose, mask, self._face(picture, body.reading.pose), box)
            for body, mask in zip(found, masks, strict=True)
            if (box := silhouettes.box(mask)) is not None
        ]
        return tuple(sorted(people, key=lambda person: -person.mask.area))

    def _session(self, layout: NetworkLayout) -> LiteRTSession:
        with self._lock:
            found = self._sessions.get(layout.name)
            if found is None:
                path = self._locate(layout.name)
                found = LiteRTSession(path, layout, threads=self._threads)
                self._sessions[layout.name] = found
            return found

    def _find_bodies(self, picture: RGB) -> list[_Body]:
        """Different people, by what is surest first: bodies, faces without a body, outlines."""
        height, width = picture.shape[:2]
        square = Region.letterbox(height, width)
        outputs = self._session(DETECTOR).run(detection.prepare(picture, square))
        bodies = detection.read(outputs, square, min_score=FAINT)
        found: list[_Body] = []
        for body in bodies:
            if body.score >= detection.MIN_SCORE:
                self._add(picture, [body.region], found, SURE)
        for face in self._faces(picture, square):
            if not any(_same_head(face, other.reading.pose) for other in found):
                self._add(picture, _body_regions(face), found, SURE)
        for body in bodies:
            if body.score < detection.MIN_SCORE and not any(_over(body, other) for other in found):
                self._add(picture, [body.region], found, GUESSED)
        if not found:
            whole = Region.whole(height, width)
            outlines = _outlines(self._people_map(picture, whole), whole)
            self._add(picture, outlines, found, GUESSED)
        return found

    def _add(
        self, picture: RGB, regions: Iterable[Region], found: list[_Body], needed: _Needed
    ) -> None:
        """Look at regions until one holds a person; add that one unless it is there already."""
        for region in regions:
            reading = self._read_body(picture, region, needed.presence)
            if reading is None:
                continue
            if any(_same_body(reading, other.reading) for other in found):
                return
            focus = silhouettes.focus(reading, (picture.shape[0], picture.shape[1]))
            silhouette = self._people_map(picture, focus)
            agreed = silhouettes.agreement(reading, focus, silhouette)
            if agreed >= needed.agreement:
                found.append(_Body(reading, (focus, silhouette) if agreed >= 0.3 else None))
                return

    def _read_body(self, picture: RGB, region: Region, least: float) -> BodyReading | None:
        """The person in a region after a second look, or None where there is nobody."""
        first = self._look(picture, region)
        if first.presence < least:
            return None
        second = self._look(picture, first.next_region)
        if second.presence >= least:
            return second
        return first if least == PRESENCE else None

    def _look(self, picture: RGB, region: Region) -> BodyReading:
        outputs = self._session(LANDMARKER).run(landmarks.prepare(picture, region))
        return landmarks.read(outputs, region)

    def _people_map(self, picture: RGB, region: Region) -> Floats:
        """(256, 256) float32 0..1 over a region: that a pixel is of anybody."""
        return selfie.read(self._session(GENERAL).run(selfie.prepare(picture, region)))

    def _faces(self, picture: RGB, region: Region) -> tuple[faces.FoundFace, ...]:
        return faces.read(self._session(SHORT_RANGE).run(faces.prepare(picture, region)), region)

    def _face(self, picture: RGB, pose: Pose) -> Face | None:
        """The face of a person whose pose is known, or None where none is seen."""
        region = _head_region(pose)
        if region is None:
            return None
        seen = self._faces(picture, region)
        if not seen:
            return None
        face = seen[0]
        outputs = self._session(FACE_MESH).run(meshes.prepare(picture, face.mesh_region))
        reading = meshes.read(outputs, face.mesh_region)
        mesh = reading.points if reading.presence >= PRESENCE else None
        return Face(face.box, mesh, face.score)


def _head_region(pose: Pose) -> Region | None:
    """A square around the head, from the pose's eyes, ears and mouth."""
    points = pose.points[:11]
    low, high = points.min(axis=0), points.max(axis=0)
    side = float(max(high - low))
    if side < 4:
        return None
    middle = (low + high) / 2
    return Region(float(middle[0]), float(middle[1]), side * 3.5, side * 3.5)


def _same_head(face: faces.FoundFace, pose: Pose) -> bool:
    left, top, right, bottom = (float(v) for v in face.box)
    x, y = (float(v) for v in pose.point("nose"))
    return left <= x <= right and top <= y <= bottom


def _over(body: detection.FoundBody, other: _Body) -> bool:
    """Whether a detection's head lies on somebody who was found already."""
    point = (body.face[:2] + body.face[2:]) / 2
    column, row = other.reading.region.to_unit(point[None])[0] * other.reading.logits.shape[0]
    size = other.reading.logits.shape[0]
    if not (0 <= column < size and 0 <= row < size):
        return False
    return bool(other.reading.logits[int(row), int(column)] > 0)


def _body_regions(face: faces.FoundFace) -> Iterable[Region]:
    """Guesses of where the body under a face lies."""
    center = (face.box[:2] + face.box[2:]) / 2
    side = float(max(face.box[2:] - face.box[:2]))
    down = np.array([-np.sin(face.rotation), np.cos(face.rotation)])
    for lengths in HEAD_LENGTHS:
        hips = center + down * side * lengths
        top = center - down * side
        yield Region.upright(hips, top, scale=detection.ROI_SCALE)


def _outlines(probability: Floats, region: Region) -> Iterable[Region]:
    """Where to look when neither a body nor a face was detected: around what may be a person."""
    rows, columns = np.nonzero(probability > 0.5)
    if rows.size:
        side = probability.shape[0]
        low = [columns.min() / side, rows.min() / side]
        high = [(columns.max() + 1) / side, (rows.max() + 1) / side]
        corners = region.to_picture([low, high])
        yield Region.around(corners.reshape(4), scale=detection.ROI_SCALE)
    yield Region.around([0, 0, 2 * region.x, 2 * region.y])


def _same_body(one: BodyReading, other: BodyReading) -> bool:
    """Whether two readings are of one person: their torsos' joints lie near each other."""
    names = ("nose", "left_shoulder", "right_shoulder", "left_hip", "right_hip")
    apart = np.array([np.hypot(*(one.pose.point(n) - other.pose.point(n))) for n in names])
    return bool(np.median(apart) < 0.08 * min(one.region.width, other.region.width))
