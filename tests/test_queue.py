"""What is told is what is done, and nobody waits for ever."""

from collections import Counter

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from bot.queue import FairQueue, Ticket

PEOPLE = st.integers(0, 4)


class QueueMachine(RuleBasedStateMachine):
    """Several slots; people ask, stories end, and some are given up, waiting or not."""

    def __init__(self) -> None:
        super().__init__()
        self.queue = FairQueue()
        self.told: list[Ticket] = []  # the order that is told to those that wait
        self.served: list[Ticket] = []  # and not over
        self.alone: set[Ticket] = set()  # their people had nothing else unfinished when they asked
        self.most: dict[Ticket, int] = {}  # unfinished tickets its person had at once, up to it
        self.overtaken: dict[Ticket, set[Ticket]] = {}  # by which, of those that came later

    @rule(person=PEOPLE)
    def ask(self, person: int) -> None:
        own = [ticket for ticket in self.told + self.served if ticket.person == person]
        assert self.queue.unfinished(person) == len(own)
        ticket = self.queue.join(person)
        self.most[ticket] = max([len(own), *(self.most[other] for other in own)])
        self.overtaken[ticket] = set()
        if not own:
            self.alone.add(ticket)
        place = self.queue.place(ticket) - 1
        for other in self.told[place:]:
            self.overtaken[other].add(ticket)
        self.told.insert(place, ticket)

    @precondition(lambda self: self.told and len(self.served) < 3)
    @rule()
    def serve(self) -> None:
        ticket = self.queue.serve()
        assert ticket == self.told.pop(0), "written as it was told"
        self.served.append(ticket)

    @precondition(lambda self: self.served)
    @rule(data=st.data())
    def end(self, data: st.DataObject) -> None:
        ticket = data.draw(st.sampled_from(self.served))
        self.queue.leave(ticket)
        self.served.remove(ticket)

    @precondition(lambda self: self.told)
    @rule(data=st.data())
    def give_up(self, data: st.DataObject) -> None:
        ticket = data.draw(st.sampled_from(self.told))
        self.queue.leave(ticket)
        self.told.remove(ticket)
        for others in self.overtaken.values():
            others.discard(ticket)

    @invariant()
    def what_is_told_changes_only_by_who_comes_and_goes(self) -> None:
        assert list(self.queue) == self.told and len(self.queue) == len(self.told)
        assert [self.queue.place(ticket) for ticket in self.told] == [*range(1, len(self.told) + 1)]
        assert all(self.queue.place(ticket) == 0 for ticket in self.served)

    @invariant()
    def who_has_nothing_else_is_overtaken_by_nobody(self) -> None:
        assert not any(self.overtaken[ticket] for ticket in self.alone)

    @invariant()
    def nobody_is_overtaken_without_end(self) -> None:
        for ticket, others in self.overtaken.items():
            times = Counter(other.person for other in others)
            assert not times[ticket.person], "one's own stories come as they were asked for"
            assert max(times.values(), default=0) <= self.most[ticket]

    @invariant()
    def nothing_is_remembered_of_who_has_nothing(self) -> None:
        people = {ticket.person for ticket in self.told + self.served}
        assert self.queue._unfinished.keys() == people


TestQueue = QueueMachine.TestCase


def test_rounds_are_told_and_kept() -> None:
    queue = FairQueue()
    first = queue.join(0)
    assert queue.serve() == first
    kanga, roo, owl = [[queue.join(p) for _ in range(n)] for p, n in ((1, 3), (2, 2), (3, 1))]
    again = queue.join(0)  # the first is still being written
    order = [kanga[0], roo[0], owl[0], kanga[1], roo[1], again, kanga[2]]
    assert list(queue) == order
    queue.leave(first)
    assert [queue.serve() for _ in order] == order


def test_a_second_story_does_not_go_before_who_asked_for_a_first() -> None:
    queue = FairQueue()
    writing = queue.join(1)
    queue.serve()
    second = queue.join(1)
    first = queue.join(2)
    queue.leave(writing)
    assert [queue.serve(), queue.serve()] == [first, second]


@pytest.mark.parametrize("waiting", [1, 2, 4])
def test_a_stream_of_new_people_does_not_starve_who_asked_for_several(waiting: int) -> None:
    queue = FairQueue()
    tickets = [queue.join(0) for _ in range(1 + waiting)]
    writing = queue.serve()
    for person in range(1, 100):
        queue.join(person)
        queue.leave(writing)
        writing = queue.serve()
        if writing == tickets[-1]:
            break
    assert person <= waiting * (waiting + 3)


def test_giving_up_and_asking_again_gains_and_costs_nothing() -> None:
    queue = FairQueue()
    queue.join(0)
    queue.serve()
    for _ in range(50):
        queue.leave(queue.join(0))
    last, other = queue.join(0), queue.join(1)
    assert (last.round, other.round) == (2, 1)
