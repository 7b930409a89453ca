"""How many frames and bytes one charger may send, so that a mad one starves nobody. Pure."""

from dataclasses import dataclass

FRAMES_PER_S, FRAMES_MAX = 20.0, 400.0
"""Beyond what an honest charger sends: some 10 messages in a busy minute, and some hundred at once after an outage."""
BYTES_PER_S, BYTES_MAX = 256 * 1024.0, 16 * 1024 * 1024.0


@dataclass(slots=True)
class Budget:
    """Two buckets that fill by the second of the given clock. It belongs to the charger: redialling does not fill it.

    ``is_overdrawn`` stays until both buckets are full again.
    """

    frames: float = FRAMES_MAX
    octets: float = BYTES_MAX
    is_overdrawn: bool = False
    _at_s: float = 0.0

    def spend(self, frames: int, octets: int, now_s: float) -> float:
        """Take a message out; return for how many seconds nothing more may be read."""
        past_s = max(0.0, now_s - self._at_s)
        self._at_s = now_s
        self.frames = min(FRAMES_MAX, self.frames + past_s * FRAMES_PER_S)
        self.octets = min(BYTES_MAX, self.octets + past_s * BYTES_PER_S)
        self.is_overdrawn &= self.frames < FRAMES_MAX or self.octets < BYTES_MAX
        self.frames -= frames
        self.octets -= octets
        wait_s = max(0.0, -self.frames / FRAMES_PER_S, -self.octets / BYTES_PER_S)
        self.is_overdrawn |= wait_s > 0
        return wait_s
