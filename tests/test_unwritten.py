"""What the store has not taken yet: when it is trouble, and when it is only on its way."""

from monitor.store.memory import MemoryStore
from monitor.unwritten import Unwritten
from tests.test_postman import ONE, happened


async def test_what_is_on_its_way_all_the_time_is_no_trouble() -> None:
    """Thousands of modules fail: once the store took what it had refused it works, whatever happens meanwhile."""
    unwritten = Unwritten(MemoryStore().outbox)
    unwritten.happened(happened(ONE, 1, "opened", "chat"), stored=False)
    unwritten.refused("it has not answered for 5 s")
    unwritten.happened(happened(ONE, 2, "member_added", "chat"), stored=False)
    await unwritten.catch_up()
    assert unwritten.trouble is not None
    unwritten.happened(happened(ONE, 1, "opened", "chat"), stored=True)
    unwritten.happened(happened(ONE, 3, "member_added", "chat"), stored=False)
    await unwritten.catch_up()
    assert unwritten.trouble is not None, "the second one happened before the store took anything"
    unwritten.happened(happened(ONE, 2, "member_added", "chat"), stored=True)
    await unwritten.catch_up()
    assert unwritten.trouble is None
    unwritten.refused("it has not answered for 5 s")
    await unwritten.catch_up()
    assert unwritten.trouble is not None, "refused anew, and the third one with it"
    unwritten.happened(happened(ONE, 3, "member_added", "chat"), stored=True)
    await unwritten.catch_up()
    assert unwritten.trouble is None
