"""Pairs and the files of their children: whichever of a pair and a closing comes later finds the other."""

from datetime import date

import pytest

from services.pairing.domain.pair import EndPair, FormPair
from services.pairing.pairs import ActivePair, PairLookUp, PairsBehindError
from services.pairing.policies import policies
from services.pairing.service import handlings
from services.registry.domain.child import ApproveErasure, CloseChildFile, RequestErasure
from shared.commands.command import Told
from shared.commands.handler import Handler
from shared.commands.policies import PolicySink
from shared.contracts.pairing import PairEnded, PairFormed
from shared.contracts.sealed import KINDS
from shared.contracts.values import CloseReason, PairEndReason, PairKind, Role
from shared.eventlog.memory import MemoryLog
from shared.eventlog.placement import new_id, partition_of
from shared.eventlog.port import ClaimTaken
from shared.eventlog.record import decode, hash_of
from shared.messaging.run import Mark, Run, Source
from shared.standing.look_up import change, over_since, standing_of
from shared.standing.standing import ChildFileWasClosed, ChildNotOnFile
from tests.support.builders import VILLAGE, a_registration
from tests.support.registry import NOW, Registry

STARTS = date(2026, 8, 10)


class Files:
    """Standings read off registry's log; ``late`` hides what came after so many events of a child."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self.late: int | None = None

    async def on(self, day, children):
        return {child: await self._on(day, child) for child in children}

    async def _on(self, day, child):
        document = await self._document(child, self.late)
        return standing_of(document, day) if "village" in document else None

    async def over_since(self, child):
        return over_since(await self._document(child, None))

    async def _document(self, child, most):
        document = {"_id": child, "turns": []}
        records = [decode(raw) for raw in (await self._registry.log.load(child))[:most]]
        for record, event in zip(records, await self._registry.sealer.open(records, KINDS), strict=True):
            change(document, record, event)
        return document


class Pairs:
    """Active pairs read off pairing's log."""

    def __init__(self, pairing: "Pairing") -> None:
        self._pairing = pairing

    async def active(self, child):
        found = {}
        for raw in await self._pairing.log.read(partition_of(child, 4), 0, 100):
            [event] = await self._pairing.registry.sealer.open([decode(raw)], KINDS)
            if isinstance(event, PairFormed):
                found[event.pair] = ActivePair(event.pair, event.starts)
            else:
                found.pop(event.pair)
        return list(found.values())


class Memory:
    def __init__(self) -> None:
        self.items = []

    async def remember(self, source, mark, items) -> None:
        self.items += items


class Pairing:
    """pairing with its policies beside registry, each over a log in memory."""

    def __init__(self) -> None:
        self.registry = Registry()
        self.log = MemoryLog("pairing", 4, lambda: NOW)
        self.files = Files(self.registry)
        self.memory = Memory()
        sealer = self.registry.sealer
        self.handler = Handler(self.log, sealer, self.registry.directory, handlings(self.files), b"k" * 32, lambda: NOW)
        reacting = policies(Pairs(self), self.files)
        self.sink = PolicySink("pairing", reacting, self.handler, sealer, self.memory, lambda: NOW)

    async def child(self):
        command = a_registration()
        await self.registry.handler.handle(Told(command, f"register-{command.child}", "director-1"))
        return command.child

    async def close(self, child, on):
        close = CloseChildFile(child=child, reason=CloseReason.MOVED_OUT, closed_on=on)
        await self.registry.handler.handle(Told(close, f"close-{child}", "director-1"))

    async def erase(self, child):
        self.registry.directory.add_grant("officer-1", Role.DATA_PROTECTION_OFFICER, "52", date(2026, 1, 1))
        request = RequestErasure(child=child, basis="监护人要求")
        await self.registry.handler.handle(Told(request, f"request-{child}", "director-1"))
        await self.registry.handler.handle(Told(ApproveErasure(child=child), f"approve-{child}", "officer-1"))
        await self.registry.vault.destroy(child)

    async def form(self, child, village=VILLAGE, starts=STARTS):
        pair = new_id("pair", beside=child)
        wish = FormPair(pair=pair, child=child, helper="helper-1", kind=PairKind.DUTY, village=village, starts=starts)
        await self.handler.handle(Told(wish, f"form-{pair}", "director-2"))
        return pair

    async def deliver(self, log):
        for partition in range(4):
            if raws := await log.read(partition, 0, 100):
                upto = Mark(len(raws), hash_of(raws[-1]), None)
                await self.sink.take(Run(Source(log.service, partition), Mark(), upto, tuple(map(decode, raws))))

    async def events(self, pair):
        return await self.registry.sealer.open([decode(raw) for raw in await self.log.load(pair)], KINDS)


@pytest.fixture
def pairing():
    return Pairing()


async def test_a_pair_is_formed_with_a_child_whose_file_is_open_on_its_first_day(pairing):
    child = await pairing.child()
    await pairing.close(child, date(2026, 8, 12))
    assert [type(event) for event in await pairing.events(await pairing.form(child))] == [PairFormed]
    with pytest.raises(ChildFileWasClosed):
        await pairing.form(child, starts=date(2026, 8, 12))


async def test_a_pair_is_formed_with_a_child_on_file_in_the_village_only(pairing):
    with pytest.raises(ChildNotOnFile):
        await pairing.form(new_id("child"))
    pairing.registry.directory.add_division("520303105202", "520303105")
    with pytest.raises(ChildNotOnFile):
        await pairing.form(await pairing.child(), village="520303105202")


async def test_when_a_file_closes_its_pairs_end_on_that_day_once_and_their_place_is_free(pairing):
    child = await pairing.child()
    pair = await pairing.form(child)
    with pytest.raises(ClaimTaken):
        await pairing.form(child)
    await pairing.close(child, date(2026, 8, 12))
    for _ in range(2):
        await pairing.deliver(pairing.registry.log)
    _, ended = await pairing.events(pair)
    assert ended.ends == date(2026, 8, 12)
    await pairing.form(child)


async def test_a_pair_that_is_formed_in_the_moment_of_the_closing_ends_all_the_same(pairing):
    child = await pairing.child()
    await pairing.close(child, date(2026, 8, 5))
    await pairing.deliver(pairing.registry.log)
    pairing.files.late = 1  # pairing has not heard of the closing where the pair is judged
    pair = await pairing.form(child)
    await pairing.deliver(pairing.log)
    _, ended = await pairing.events(pair)
    assert ended.ends == STARTS, "it never had a day"


async def test_the_pairs_of_a_child_that_is_erased_end_although_nothing_can_be_sealed_for_it(pairing):
    child = await pairing.child()
    pair = await pairing.form(child)
    await pairing.erase(child)
    for _ in range(2):
        await pairing.deliver(pairing.registry.log)
    _, ended = await pairing.events(pair)
    assert (ended.ends, ended.reason) == (NOW.date(), PairEndReason.CHILD_ERASED)
    assert pairing.memory.items == []


async def test_a_pair_that_is_formed_in_the_moment_of_the_erasure_ends_all_the_same(pairing):
    child = await pairing.child()
    await pairing.erase(child)
    await pairing.deliver(pairing.registry.log)
    pairing.files.late = 1
    pair = await pairing.form(child)
    await pairing.deliver(pairing.log)
    _, ended = await pairing.events(pair)
    assert (ended.ends, ended.reason) == (NOW.date(), PairEndReason.CHILD_ERASED)


async def test_a_pair_of_an_open_file_is_left_alone(pairing):
    pair = await pairing.form(await pairing.child())
    await pairing.deliver(pairing.log)
    assert len(await pairing.events(pair)) == 1


async def test_a_pair_that_both_policies_end_is_no_work_for_a_person(pairing):
    child = await pairing.child()
    pair = await pairing.form(child)
    await pairing.close(child, date(2026, 8, 12))
    await pairing.deliver(pairing.registry.log)
    await pairing.deliver(pairing.log)
    assert [type(event) for event in await pairing.events(pair)] == [PairFormed, PairEnded]
    assert pairing.memory.items == []


async def test_who_is_outside_does_not_learn_that_a_pair_exists(pairing):
    pair = await pairing.form(await pairing.child())
    pairing.registry.directory.add_grant("stranger-1", "child_director", "99", date(2026, 1, 1))
    answers = set()
    for n, one in enumerate((pair, new_id("pair"))):
        end = EndPair(pair=one, ends=date(2026, 8, 14), reason=PairEndReason.HELPER_LEFT)
        [refusal] = await pairing.handler.handle_many([Told(end, f"command-{n}", "stranger-1")])
        answers.add((type(refusal), str(refusal)))
    assert len(answers) == 1


class Behind:
    async def wait_for(self, name, position):
        self.asked = str(position)
        return False


async def test_active_pairs_are_not_told_from_behind_the_log(pairing):
    child = await pairing.child()
    await pairing.form(child)
    live = Behind()
    with pytest.raises(PairsBehindError):
        await PairLookUp(live, pairing.log).active(child)
    assert live.asked == f"pairing/{partition_of(child, 4)}/1"
