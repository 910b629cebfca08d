# SPDX-License-Identifier: Apache-2.0
"""Each line of the table in docker and in bulkhead.

docker is Debian's 20.10, started on a socket of its own; where it cannot be started, its recorded answers (reference.json)
take its place, and also with BULKHEAD_COMPAT=recorded, which is faster. UPDATE_GOLDEN=1 records them anew and rewrites the table in docs/COMPATIBILITY.md.
"""
import concurrent.futures
import os
import shutil
import sys
import tempfile
import warnings

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "integration"))
import case as cases
import compare
import page
import reference
from bulkhead import Bulkhead
from docker import Docker, Missing
from engine import image_tar
from table import CASES, IMAGES

UPDATE = os.environ.get("UPDATE_GOLDEN") == "1"
MUST_WORK = os.environ.get("BULKHEAD_MUST_WORK") == "1"

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


class Sides:
    """Both engines with the images, a folder to run the lines in, and the recorded answers."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="bulkhead-compat-")
        self.docker, self.missing, self.recorded = self.engine(Docker), None, reference.load()
        self.bulkhead = self.engine(Bulkhead)
        self.lane, self.live = concurrent.futures.ThreadPoolExecutor(1), {}

    def engine(self, kind):
        os.makedirs(f"{self.folder}/{kind.name}")
        return kind(f"{self.folder}/{kind.name}")

    def start(self, chosen):
        """docker works through the chosen lines beside the tests, which wait for its answers only when they come to them."""
        try:
            if os.environ.get("BULKHEAD_COMPAT") == "recorded" and not UPDATE:
                raise Missing("the recorded answers were asked for")
            self.docker.start()
        except Missing as reason:
            self.missing = str(reason)
        self.bulkhead.start()
        for engine in [self.bulkhead] + ([] if self.missing else [self.docker]):
            for name, changes in IMAGES.items():
                engine.import_image(image_tar("busybox"), name, changes)
        if not self.missing:
            self.live = {c.key: self.lane.submit(self.answer, self.docker, c) for c in chosen}

    def stop(self):
        self.lane.shutdown(cancel_futures=True)
        self.docker.stop()
        self.bulkhead.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def answer(self, engine, case):
        """In a folder with a path of the same length for both."""
        try:
            return compare.record(case, cases.run(case, engine, f"{self.folder}/{len(engine.name)}"))
        finally:
            engine.clean()


@pytest.fixture(scope="module")
def sides(request):
    both = Sides()
    try:
        both.start([item.callspec.params["case"] for item in request.session.items if hasattr(item, "callspec")])
        yield both
    finally:
        both.stop()
        if UPDATE and not both.missing:
            reference.save(both.recorded, CASES)


def test_docker_is_here(sides):
    """A skip says why the recorded answers are used."""
    if sides.missing and (MUST_WORK or UPDATE):
        pytest.fail(sides.missing)
    if sides.missing:
        pytest.skip(sides.missing)


def wanted(sides, case):
    """docker's answer: live if that can be, else the recorded one."""
    recorded = sides.recorded.get(case.key)
    if sides.missing:
        assert recorded, "docker's answer is not in reference.json: UPDATE_GOLDEN=1 records it"
        return recorded
    live = sides.live[case.key].result()
    if UPDATE and (recorded is None or compare.drifted(case, recorded, live)):
        sides.recorded[case.key] = recorded = live
    assert recorded, "docker's answer is not in reference.json: UPDATE_GOLDEN=1 records it"
    if compare.drifted(case, recorded, live):
        warnings.warn(f"docker answers in another way than recorded: {recorded} {live}")
    return live


@pytest.mark.parametrize("case", CASES, ids=[f"{i:03}-{c.slug}" for i, c in enumerate(CASES)])
def test_line(sides, case):
    docker = wanted(sides, case)
    try:
        bulkhead = sides.answer(sides.bulkhead, case)
    except cases.SetupFailed as why:
        pytest.fail(f"bulkhead does not get to the line: {case.key}\n{why}")
    problem = compare.problem(case, docker, bulkhead)
    assert not problem, f"{problem}\n{compare.shown(case, docker, bulkhead)}"


def test_the_page_is_current():
    if UPDATE:
        page.write(CASES)
    assert page.parts()[1] == page.generated(CASES), "docs/COMPATIBILITY.md: UPDATE_GOLDEN=1 rewrites its table"


def test_the_table_is_sane():
    assert len({c.key for c in CASES}) == len(CASES), "a scenario stands in the table twice"
    assert all(c.reason for c in CASES if c.expect == cases.DIFFERENT), "a difference needs its reason"
    assert set(reference.load()) == {c.key for c in CASES}, "reference.json and the table have other lines: UPDATE_GOLDEN=1"
