"""What a county adopts, through the real processes: its sheet, its rule, its fields, its periods, and closed files."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio

from deploy.local.operator import operator
from services.registry.domain.adoption import AdoptCountingRule, AdoptRetention, AdoptRiskInstrument, DefineOwnFields
from services.registry.domain.child import AssessRisk, CloseChildFile, RecordOwnFields, RequestErasure
from shared.commands.command import business_day
from shared.contracts.own_fields import OwnValue, OwnValues
from shared.contracts.retention import RetentionPeriods
from shared.contracts.risk import RiskAnswer, RiskAnswers
from shared.contracts.sealed import Personal
from shared.contracts.values import CloseReason, HukouKind, Role
from tests.support.adopted import FIELDS, SAFETY, YOUNG
from tests.support.builders import COUNTY, VILLAGE, a_registration, parents
from tests.support.installation import Installation, installation

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(120)]

COUNTY_OFFICE, DIRECTOR, CITY_OFFICE = "adoption-county", "adoption-director", "adoption-city"
NOW = datetime.now(UTC)
TODAY = business_day(NOW)
SHEET, RULE, FORM = f"{COUNTY}-SAFE-1", f"{COUNTY}-YOUNG", f"{COUNTY}-FIELDS-1"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def guanhu() -> AsyncIterator[Installation]:
    async with installation("adoption") as guanhu:
        async with operator(guanhu.stack.environment("registry")) as own:
            await own.import_divisions(VILLAGE[:9])
            await own.grant(CITY_OFFICE, Role.DATA_OFFICE, COUNTY[:4], TODAY)
            await own.grant(COUNTY_OFFICE, Role.COUNTY_CIVIL_AFFAIRS, COUNTY, TODAY)
            await own.grant(DIRECTOR, Role.CHILD_DIRECTOR, VILLAGE, TODAY)
            await own.everybody_knows()
        yield guanhu


def a_child(years: int) -> Any:
    born = date(TODAY.year - years, 1, 31)
    away = parents(since=TODAY - timedelta(days=200))
    return a_registration(occurred_at=NOW, birth_date=born, hukou_kind=HukouKind.RURAL, parents=away)


async def test_a_child_is_assessed_and_described_as_its_county_asks(guanhu: Installation) -> None:
    registration = a_child(10)
    await guanhu.give(registration, DIRECTOR)
    sheet = AdoptRiskInstrument(division=COUNTY, starts=TODAY, instrument=SHEET, content=SAFETY)
    await guanhu.give(sheet, COUNTY_OFFICE)
    answers = (RiskAnswer(item="age", choice="to_10"), RiskAnswer(item="home", choice="safe"))
    told = Personal(RiskAnswers(answers=answers))
    assess = AssessRisk(child=registration.child, instrument=SHEET, answers=told)
    refused = await guanhu.tell(assess.model_copy(update={"instrument": "SHEET-1"}), DIRECTOR)
    assert (refused.status_code, refused.json()["code"]) == (422, "risk_instrument_not_in_force")
    await guanhu.give(assess, DIRECTOR)

    await guanhu.give(DefineOwnFields(division=COUNTY, starts=TODAY, fields=FIELDS), COUNTY_OFFICE)
    values = OwnValues(values=(OwnValue(key="wifi", value=True), OwnValue(key="debt", value=300)))
    form = RecordOwnFields(child=registration.child, definition=FORM, values=Personal(values))
    position = await guanhu.give(form, DIRECTOR)

    file = (await guanhu.open_file(registration.child, DIRECTOR, position)).json()["file"]
    assert (file["risk"]["level"], file["risk"]["score"], file["risk"]["instrument"]) == ("medium", 35, SHEET)
    assert file["own_fields"]["wifi"]["label"] == "家中有无网络"
    assert file["own_fields"]["debt"]["value"] == 300
    in_force = await _policies(guanhu)
    assert (in_force["risk_instrument"]["name"], in_force["own_fields"]["name"]) == (SHEET, FORM)
    assert in_force["risk_instrument"]["content"]["items"][0]["label"] == "年龄"
    assert in_force["counting_rule"]["name"] == "BRIEF-0-14"


async def _policies(guanhu: Installation) -> dict[str, Any]:
    url = f"{guanhu.stack.url('registry')}/policies"
    answer = await guanhu.http.get(url, params={"division": VILLAGE}, headers=guanhu.headers(DIRECTOR))
    found: dict[str, Any] = answer.json()
    return found


async def test_figures_count_by_the_terms_that_a_county_adopted(guanhu: Installation) -> None:
    day = {"as_of": "2030-01-01", "known_at": "2030-01-01"}
    young, old = a_child(TODAY.year - 2026), a_child(TODAY.year - 2018)
    positions = [await guanhu.give(child, DIRECTOR) for child in (young, old)]
    adopt = AdoptCountingRule(division=COUNTY, starts=date(2030, 1, 1), rule=RULE, terms=YOUNG)
    after = ",".join([*positions, await guanhu.give(adopt, COUNTY_OFFICE)])
    for division in (VILLAGE, COUNTY):
        counted = await guanhu.ask("/figures/I1", COUNTY_OFFICE, after, division=division, **day)
        assert (counted["rule"], counted["figure"]["denominator"]) == (RULE, 1)
    table = await guanhu.ask("/figures/table", COUNTY_OFFICE, after, division=VILLAGE[:9], **day)
    assert {row["division"]: row["figures"]["I1"]["denominator"] for row in table["rows"]}[VILLAGE] == 1
    today = await guanhu.ask("/figures/I1", COUNTY_OFFICE, after, division=COUNTY)
    assert today["rule"] == "BRIEF-0-14"


async def test_a_closed_file_is_the_countys_alone_and_is_listed_when_its_time_has_ended(guanhu: Installation) -> None:
    child = a_child(10)
    await guanhu.give(child, DIRECTOR)
    closed_on = TODAY - timedelta(days=500)
    close = CloseChildFile(child=child.child, reason=CloseReason.PARENT_RETURNED, closed_on=closed_on)
    position = await guanhu.give(close, DIRECTOR)
    refused = await guanhu.open_file(child.child, DIRECTOR, position)
    assert (refused.status_code, refused.json()["code"]) == (403, "closed_to_the_county_alone")
    assert (await guanhu.open_file(child.child, COUNTY_OFFICE, position)).status_code == 200
    assert child.child not in await _listed(guanhu, DIRECTOR)
    assert child.child in await _listed(guanhu, COUNTY_OFFICE)
    assert await _ended(guanhu, position) == []

    adopt = AdoptRetention(
        division=COUNTY[:4], starts=TODAY, periods=RetentionPeriods(closed_file_years=1), may_override=False
    )
    position = await guanhu.give(adopt, CITY_OFFICE)
    own = await guanhu.tell(adopt.model_copy(update={"division": COUNTY}), COUNTY_OFFICE)
    assert (own.status_code, own.json()["code"]) == (403, "override_not_allowed")
    [ended] = await _ended(guanhu, position)
    assert (ended["child"], ended["retention"], ended["erasure_requested"]) == (
        child.child,
        f"{COUNTY[:4]}-RETENTION-1",
        False,
    )
    request = RequestErasure(child=child.child, basis=Personal("保存期满"))
    [ended] = await _ended(guanhu, await guanhu.give(request, COUNTY_OFFICE))
    assert ended["erasure_requested"]


async def _listed(guanhu: Installation, person: str) -> set[str]:
    answer = await guanhu.ask("/children", person, division=VILLAGE, limit="200")
    return {line["child"] for line in answer["lines"]}


async def _ended(guanhu: Installation, after: str) -> list[dict[str, Any]]:
    files: list[dict[str, Any]] = (await guanhu.ask("/children/closed", COUNTY_OFFICE, after, division=COUNTY))["files"]
    return files
