"""Pieces are committed a few at a time, and told in the order of the file."""

import asyncio
from contextlib import aclosing

import pytest

from services.registry.imports.worker import TOGETHER, _in_order


async def test_pieces_are_told_in_their_order_and_a_few_are_worked_on_at_a_time():
    running, most = set[int](), 0

    async def work(piece: int) -> int:
        nonlocal most
        running.add(piece)
        most = max(most, len(running))
        await asyncio.sleep(0.001 * (10 - piece % 10))
        running.remove(piece)
        return piece

    async with aclosing(_in_order(work, range(3, 20))) as pieces:
        assert [piece async for piece in pieces] == list(range(3, 20))
    assert 1 < most <= TOGETHER


async def test_where_one_fails_those_that_were_begun_come_to_their_end_and_no_other_is_begun():
    begun, ended = list[int](), list[int]()

    async def work(piece: int) -> int:
        begun.append(piece)
        await asyncio.sleep(0.01 if piece == 2 else 0.03)
        if piece == 2:
            raise LookupError
        ended.append(piece)
        return piece

    told: list[int] = []

    async def tell() -> None:
        async with aclosing(_in_order(work, range(50))) as pieces:
            async for piece in pieces:
                told.append(piece)

    with pytest.raises(LookupError):
        await tell()
    assert told == [0, 1]
    assert sorted(begun) == sorted([*ended, 2])
    assert len(begun) <= 2 + TOGETHER
