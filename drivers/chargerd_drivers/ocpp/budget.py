"""How many frames and bytes one charger may send, so that a mad one starves nobody. Pure."""

from dataclasses import dataclass

FRAMES_PER_S = 20
"""Far beyond an honest charger, which sends some ten in a busy minute, and some hundred at once after an outage."""
BURST_S = 20
BYTES_PER_FRAME = 16 * 1024
BYTES_MAX = 16.0 * 1024 * 1024


@dataclass(slots=True)
class Budget:
    """Two buckets that fill by the second of the given clock. It belongs to the charger: redialling does not fill it.

    ``frames`` and ``octets`` are what was spent of them, 0 in a full one. ``is_overdrawn`` stays until both are full.
    """

    frames_per_s: float = FRAMES_PER_S
    frames: float = 0.0
    octets: float = 0.0
    is_overdrawn: bool = False
    _at_s: float = 0.0

    def spend(self, frames: int, octets: int, now_s: float) -> float:
        """Take a message out; return for how many seconds nothing more may be read."""
        past_s = max(0.0, now_s - self._at_s)
        self._at_s = now_s
        bytes_per_s = self.frames_per_s * BYTES_PER_FRAME
        self.frames = max(0.0, self.frames - past_s * self.frames_per_s)
        self.octets = max(0.0, self.octets - past_s * bytes_per_s)
        self.is_overdrawn &= self.frames > 0 or self.octets > 0
        self.frames += frames
        self.octets += octets
        wait_s = max(0.0, self.frames / self.frames_per_s - BURST_S, (self.octets - BYTES_MAX) / bytes_per_s)
        self.is_overdrawn |= wait_s > 0
        return wait_s
