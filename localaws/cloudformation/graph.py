"""Work on a graph: each node when those it needs are done, independent ones at the same time."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TypeVar

WORKERS = 8
Node = TypeVar("Node", bound=Hashable)


def run_in_order(
    needs: Mapping[Node, Collection[Node]],
    work: Callable[[Node], bool],
    halted: Callable[[], bool] = lambda: False,
) -> None:
    """Call `work(node)` for every node of an acyclic graph, after all it needs; return when all is done.

    Args:
        needs: each node with the nodes that must be done before it; names that are no nodes are ignored.
        work: does one node and says whether it succeeded; nodes that need a failed one are left out.
        halted: asked before a node is started; once true, nothing new is.
    """
    waiting = {node: {needed for needed in needs[node] if needed in needs} for node in needs}
    running: dict[Future[bool], Node] = {}

    def start(node: Node) -> bool:
        return not halted() and work(node)

    with ThreadPoolExecutor(min(WORKERS, len(needs)) or 1, thread_name_prefix="cloudformation") as pool:
        while True:
            for node in [node for node, missing in waiting.items() if not missing]:
                del waiting[node]
                running[pool.submit(start, node)] = node
            if not running:
                return
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                node = running.pop(future)
                if future.result():
                    for missing in waiting.values():
                        missing.discard(node)
