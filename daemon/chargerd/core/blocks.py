"""Blocks of charging that was seen. Every watt-hour of a managed session ends up in one of them."""

from dataclasses import replace
from datetime import datetime, timedelta

from chargerd.core.ledger import Delta, split_wh
from chargerd.core.model import Block, Session
from chargerd.plan.schedule import BlockKind

DIP = timedelta(minutes=2)
"""A pause shorter than this does not split a block."""
SHORTEST = timedelta(seconds=1)
"""Documents know whole seconds: a shorter block would have no length."""


def running(session: Session) -> Block | None:
    """The block that is open, or None."""
    return session.blocks[-1] if session.blocks and session.blocks[-1].ended_at is None else None


def credited(session: Session, delta: Delta, *, charging: bool, began_at: datetime | None) -> Session:
    """Put energy into the blocks that its time overlaps.

    Where there is none, charging opens one at ``began_at`` (the charger's word) or at the start of the stretch;
    a trickle without charging is kept as ``loose_wh`` until a block takes it.
    """
    if charging and running(session) is None:
        session = _with_block(session, _opening(session, delta, began_at))
    if delta.wh == 0:
        return session
    overlaps = [_overlap_s(block, delta) for block in session.blocks]
    if not any(overlaps):
        return replace(session, loose_wh=session.loose_wh + delta.wh)
    shares = split_wh(delta.wh, overlaps)
    blocks = tuple(
        replace(block, wh=block.wh + wh) if wh else block for block, wh in zip(session.blocks, shares, strict=True)
    )
    return replace(session, blocks=blocks)


def retyped(session: Session, kind: BlockKind, now: datetime, *, goes_on: bool) -> Session:
    """Charge for something else from now on. A running block ends here and the next begins, if charging is to go on;
    one that is being stopped keeps its kind to its end.
    """
    if kind is not session.kind:
        session = replace(session, kind=kind, kind_since=now)
    open_block = running(session)
    if open_block is None or open_block.kind is kind or not goes_on:
        return session
    if open_block.started_at >= now:
        return replace(session, blocks=(*session.blocks[:-1], replace(open_block, kind=kind)))
    return _with_block(closed(session, now), Block(kind=kind, started_at=now))


def closed(session: Session, at: datetime) -> Session:
    """End the running block. One that ends before it began never was; what it holds waits for the next."""
    block = running(session)
    if block is None:
        return session
    if at < block.started_at + SHORTEST:
        return replace(session, blocks=session.blocks[:-1], loose_wh=session.loose_wh + block.wh)
    return replace(session, blocks=(*session.blocks[:-1], replace(block, ended_at=at)))


def settled(session: Session, plugged_out_at: datetime) -> Session:
    """Final blocks: none ends after plug-out, none is empty, and their sum is the ledger's."""
    session = closed(session, plugged_out_at)
    cut = [_cut(block, plugged_out_at) for block in session.blocks if block.wh > 0]
    blocks = [block for block in cut if _length(block) >= SHORTEST]
    loose = session.ledger.total_wh - sum(block.wh for block in blocks)
    if loose and blocks:
        blocks[-1] = replace(blocks[-1], wh=blocks[-1].wh + loose)
    elif loose:
        fed = [cell for cell in session.ledger.cells if cell.wh]
        start = min(fed[0].start, fed[-1].end - SHORTEST)
        blocks = [Block(kind=session.kind, started_at=start, ended_at=fed[-1].end, wh=loose)]
    return replace(session, blocks=tuple(blocks), loose_wh=0, plan=())


def _opening(session: Session, delta: Delta, began_at: datetime | None) -> Block:
    start = began_at if began_at is not None and delta.start < began_at < delta.end else delta.start
    if session.blocks:
        start = max(start, session.blocks[-1].ended_at or start)
    if session.kind_since is not None and delta.start < session.kind_since < delta.end:
        start = max(start, session.kind_since)
    return Block(kind=session.kind, started_at=start)


def _with_block(session: Session, block: Block) -> Session:
    block = replace(block, wh=block.wh + session.loose_wh)
    return replace(session, blocks=(*session.blocks, block), loose_wh=0)


def _overlap_s(block: Block, delta: Delta) -> float:
    end = delta.end if block.ended_at is None else min(block.ended_at, delta.end)
    return max((end - max(block.started_at, delta.start)).total_seconds(), 0.0)


def _length(block: Block) -> timedelta:
    return (block.ended_at or block.started_at) - block.started_at


def _cut(block: Block, at: datetime) -> Block:
    ended_at = min(block.ended_at or at, at)
    return replace(block, started_at=min(block.started_at, ended_at), ended_at=ended_at)
