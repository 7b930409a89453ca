"""Blocks of charging that was seen. Every watt-hour of a managed session ends up in one of them."""

from datetime import datetime, timedelta

from chargerd.core.frozen import replace
from chargerd.core.ledger import Delta, split_wh
from chargerd.core.model import Block, Session
from chargerd.core.register import MEASURED_WITHIN
from chargerd.plan.schedule import BlockKind

DIP = timedelta(minutes=2)
"""A pause shorter than this does not split a block."""
SHORTEST = timedelta(seconds=1)
"""Documents know whole seconds: a shorter block would have no length."""


def running(session: Session) -> Block | None:
    """The block that is open, or None."""
    return session.blocks[-1] if session.blocks and session.blocks[-1].ended_at is None else None


def credited(session: Session, piece: Delta, *, flowing: bool, began_at: datetime | None) -> Session:
    """Put energy into the blocks that its time overlaps, in the order in which it flowed.

    Where there is none, charging opens one at ``began_at`` (the charger's word) or at the start of the stretch; a
    pause that was no dip ends the running one where charging was last seen. A trickle without charging is kept as
    ``loose_wh`` until a block takes it.
    """
    session = _ended_before(session, piece, flowing=flowing)
    if flowing and running(session) is None and not _is_past(session, piece):
        session = _with_block(session, _opening(session, piece, began_at))
    if flowing:
        session = replace(session, flowed_until=max(piece.end, session.flowed_until or piece.end))
    if piece.wh == 0:
        return session
    overlaps = [_overlap_s(block, piece) for block in session.blocks]
    if not any(overlaps):
        return replace(session, loose_wh=session.loose_wh + piece.wh)
    shares = split_wh(piece.wh, overlaps)
    blocks = tuple(replace(block, wh=block.wh + wh) for block, wh in zip(session.blocks, shares, strict=True))
    return replace(session, blocks=blocks)


def _ended_before(session: Session, piece: Delta, *, flowing: bool) -> Session:
    """End a running block that this stretch proves to be over: nothing flowed for longer than a dip."""
    block, until = running(session), session.flowed_until
    if block is None or until is None:
        return session
    quiet_until = piece.start if flowing else piece.end
    if quiet_until - until < DIP or piece.start < block.started_at:
        return session
    return closed(session, max(until, block.started_at + SHORTEST))


def _is_past(session: Session, piece: Delta) -> bool:
    """Energy from before the end of the last block was flowing in it."""
    ended_at = _last_end(session)
    return ended_at is not None and piece.end <= ended_at


def _last_end(session: Session) -> datetime | None:
    """The end of the last block; None while it runs, and before the first."""
    return session.blocks[-1].ended_at if session.blocks else None


def retyped(session: Session, kind: BlockKind, now: datetime, *, goes_on: bool) -> Session:
    """Charge for something else from now on. A running block ends here and the next begins, if charging is to go on;
    one that is being stopped keeps its kind to its end.
    """
    if kind is not session.kind:
        session = replace(session, kind=kind, kind_since=now)
    open_block = running(session)
    if open_block is None or open_block.kind is kind or not goes_on:
        return session
    return _with_block(closed(session, now), Block(kind=kind, started_at=now))


def ends_at(session: Session, stopped_at: datetime | None) -> datetime | None:
    """When a pause that began is no dip any more; None while no block is running, or nothing was seen to flow."""
    since = stopped_at or session.flowed_until
    return None if running(session) is None or since is None else since + DIP


def stopped(session: Session, at: datetime, *, lost_at: datetime | None) -> Session:
    """End the running block where charging was seen to stop; where the connection was lost in it, where charging was
    last seen.
    """
    until = session.flowed_until
    if until is not None and lost_at is not None and lost_at >= until and at - until > MEASURED_WITHIN:
        at = until
    return closed(session, at)


def closed(session: Session, at: datetime) -> Session:
    """End the running block. One that ends before it began never was; what it holds waits for the next."""
    block = running(session)
    if block is None:
        return session
    if at < block.started_at + SHORTEST:
        return replace(session, blocks=session.blocks[:-1], loose_wh=session.loose_wh + block.wh)
    return replace(session, blocks=(*session.blocks[:-1], replace(block, ended_at=at)))


def settled(session: Session, plugged_out_at: datetime, *, lost_at: datetime | None = None) -> Session:
    """Final blocks: none ends after plug-out, none is empty, and their sum is the ledger's."""
    session = stopped(session, plugged_out_at, lost_at=lost_at)
    cut = [_cut(block, plugged_out_at) for block in _without_excess(session) if block.wh > 0]
    blocks = [block for block in cut if _has_length(block)]
    loose = session.ledger.total_wh - sum(block.wh for block in blocks)
    if blocks:
        blocks[-1] = replace(blocks[-1], wh=blocks[-1].wh + loose)
    elif loose:
        fed = [cell for cell in session.ledger.cells if cell.wh]
        start = min(fed[0].start, fed[-1].end - SHORTEST)
        blocks = [Block(kind=session.kind, started_at=start, ended_at=fed[-1].end, wh=loose)]
    return replace(session, blocks=tuple(blocks), loose_wh=0, plan=())


def _without_excess(session: Session) -> tuple[Block, ...]:
    """Take back what the register denied from the block in which power had told it; what is not left there, from the
    latest ones. Where a trickle outside of blocks was denied, it is not theirs.
    """
    left = list(session.blocks)
    wh = max(sum(block.wh for block in left) - session.ledger.total_wh, 0)
    most: list[tuple[int, int]] = []
    for part in session.ledger.denied:
        most += [(index, part.wh) for index, block in enumerate(left) if _holds(block, part.start)]
    most += [(index, left[index].wh) for index in reversed(range(len(left)))]
    for index, at_most in most:
        taken = min(at_most, left[index].wh, wh)
        left[index], wh = replace(left[index], wh=left[index].wh - taken), wh - taken
    return tuple(left)


def _opening(session: Session, piece: Delta, began_at: datetime | None) -> Block:
    told = (began_at, session.kind_since, _last_end(session))
    start = max((piece.start, *(at for at in told if at is not None and at < piece.end)))
    return Block(kind=session.kind, started_at=start)


def _with_block(session: Session, block: Block) -> Session:
    block = replace(block, wh=block.wh + session.loose_wh)
    return replace(session, blocks=(*session.blocks, block), loose_wh=0)


def _overlap_s(block: Block, piece: Delta) -> float:
    end = piece.end if block.ended_at is None else min(block.ended_at, piece.end)
    return max((end - max(block.started_at, piece.start)).total_seconds(), 0.0)


def _holds(block: Block, at: datetime) -> bool:
    assert block.ended_at is not None
    return block.started_at <= at < block.ended_at


def _has_length(block: Block) -> bool:
    assert block.ended_at is not None
    return block.ended_at - block.started_at >= SHORTEST


def _cut(block: Block, at: datetime) -> Block:
    assert block.ended_at is not None
    return replace(block, ended_at=min(block.ended_at, at))
