"""The generated population: what it promises to the demo."""

from datetime import date

from deploy.local.population import Plan, populate
from services.registry.division_list import divisions
from services.registry.domain.child import CHILD, RegisterChild
from shared.contracts.values import DivisionKind
from tests.support.builders import TOLD

TODAY = date(2026, 8, 14)
VILLAGES = [node.code for node in divisions("520303") if node.kind is DivisionKind.VILLAGE]


def test_the_shipped_list_holds_a_node_its_ancestors_and_all_below_it():
    nodes = list(divisions("5203"))
    kinds = [node.kind for node in nodes]
    assert [kinds.count(kind) for kind in DivisionKind] == [1, 1, 14, 254, 2093]
    seen = set[str | None]({None})
    for node in nodes:
        assert node.parent in seen
        seen.add(node.code)


def test_exactly_the_wanted_number_lives_in_villages_with_a_posting():
    population = populate(Plan(1_540, 852), VILLAGES, TODAY)
    counted = population.counted_by_village
    assert sum(counted.values()) == 1_540
    assert sum(counted.get(village, 0) for village in population.posted_villages) == 852
    assert population.children > 1_540


def test_every_generated_child_can_be_registered():
    population = populate(Plan(154, 85), VILLAGES, TODAY)
    for family in population.families:
        for body in family.children:
            assert body["citizen_number"].startswith("5299")
            assert CHILD.decide(RegisterChild(**body, occurred_at=TOLD), CHILD.initial)


def test_a_population_follows_from_its_plan():
    assert populate(Plan(100, 55), VILLAGES, TODAY) == populate(Plan(100, 55), VILLAGES, TODAY)
