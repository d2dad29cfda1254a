"""Several nodes that keep one bank, in the process of the test."""

import json
import shutil

from support.nodes import running_node
from support.polling import until
from support.wire import open_account


class Nodes:
    """Nodes of one bank, each with a data folder, and a port that it keeps."""

    def __init__(self, tmp_path, stack, host):
        self._folder, self._stack, self.host = tmp_path, stack, host
        self._ports = {}
        self.bank = ""

    def lead(self, name, **overrides):
        node = self._serve(name, **overrides)
        self.bank = node.node.settings.network.code or node.bank
        return node

    def follow(self, name, leader, **overrides):
        folder = self.data(name)
        folder.mkdir(exist_ok=True)
        for key in self._folder.glob("*/identity.key"):
            if not (folder / "identity.key").exists():
                shutil.copy(key, folder)
        address = "{}:{}".format(*leader.address) if not isinstance(leader, str) else leader
        return self._serve(name, replication__follow=address, **overrides)

    def pair(self, amount=0):
        """A leader "a", a follower "b" that has all of it, and an account with an amount."""
        leader = self.lead("a")
        with leader.wire() as wire:
            account = open_account(wire, amount)
        follower = self.follow("b", leader)
        caught_up(leader, follower)
        return leader, follower, account

    def again(self, name, **overrides):
        return self._serve(name, **overrides)

    def data(self, name):
        return self._folder / name

    def _serve(self, name, **overrides):
        node = self._stack.enter_context(
            running_node(
                self.data(name),
                network__host=self.host,
                network__port=self._ports.get(name, 0),
                **{"log__traffic": False, "network__timeout": 3.0, **overrides},
            )
        )
        self._ports[name] = node.address[1]
        return node


def state(node):
    with node.wire() as wire:
        return json.loads(wire.ask("FS").removeprefix("FS "))


def height(node):
    return node.node._store.head.height


def caught_up(leader, *followers):
    until(
        lambda: all(height(each) == height(leader) for each in followers),
        "the followers have every block",
    )


def promote(node):
    """As `bank promote` does."""
    from bank_node.node.succession import sign_promotion
    from bank_node.security.identity import read_identity

    office = node.node.succession._office
    identity = read_identity(node.node.succession._office._path.with_name("identity.key"))
    signature = sign_promotion(identity, office.bank, office.node, office.epoch)
    with node.wire() as wire:
        return wire.ask(f"FP {office.node} {signature}")
