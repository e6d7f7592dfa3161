"""Walks the opcodes of a pickle and describes what they would make; imports and calls nothing.

Follows CPython's C unpickler where unpicklers differ. What that one refuses but another might do is
followed, too, and noted: what is described is never less than what could run.
"""

from __future__ import annotations

from itertools import repeat
from struct import Struct
from struct import error as StructError  # noqa: N812
from typing import Any

from mycloset.checkpoints.pickles.nodes import Call, Global, Hazard, Persistent, Pickle, Tape
from mycloset.checkpoints.pickles.records import COST, Records
from mycloset.checkpoints.pickles.workbench import BrokenPickleError, Workbench, string

OPCODES = 1_400_000
"""Opcodes that are walked: a tensor has some 28, and no pickle is known that holds a third of the
50,000 tensors that this lets through."""

DEPTH = 10_000
"""Marks that may be open; Python's own pickler gives up at some 1000."""

_ROUND = 1 << 15
_U2, _I4, _U4 = Struct("<H").unpack_from, Struct("<i").unpack_from, Struct("<I").unpack_from
_F8 = Struct(">d").unpack_from

_NOTHING = Global("", "", 0)


def read_pickle(tape: Tape, start: int = 0) -> Pickle:
    """Describe the pickle that begins at `start`.

    Whatever the bytes are, a description comes back: of a broken pickle the part that was there,
    with a hazard that says where and why the walk ended.
    """
    walk = _Walk(tape, start)
    whole = False
    try:
        value = walk.run()
        whole = True
    except BrokenPickleError as error:
        hazard = Hazard(error.kind, str(error), walk.at)
        value = walk.salvage()
        walk.hazards.append(hazard)
    made = (walk.globals, walk.calls, walk.builds, walk.persistents, walk.hazards)
    return Pickle(value, start, walk.at, whole, *made)


class _Walk(Workbench):
    def run(self) -> Any:
        """The value that STOP finds; one branch an opcode, the most frequent first."""
        stack, marked, memo, sparse = self.stack, self.marked, self.memo, self.sparse
        calls, persistents = self.calls, self.persistents
        records, rebuild, hooks = Records(), _NOTHING, None
        base, pos, start, limit, data = self.at, 0, 0, 0, b""
        rest, rounds = repeat(None, _ROUND), 0
        while True:
            try:
                for _ in rest:
                    start = pos
                    op = data[pos]
                    pos += 1
                    if op == 0x71:  # BINPUT
                        index = data[pos]
                        pos += 1
                        if index == len(memo) and not sparse:
                            memo.append(stack[-1])
                        else:
                            self.put(index, stack[-1])
                    elif op == 0x72:  # LONG_BINPUT
                        (index,) = _U4(data, pos)
                        pos += 4
                        if index == len(memo) and not sparse:
                            memo.append(stack[-1])
                        else:
                            self.put(index, stack[-1])
                    elif op == 0x4B:  # BININT1
                        stack.append(data[pos])
                        pos += 1
                    elif op == 0x68:  # BINGET
                        index = data[pos]
                        pos += 1
                        value = memo[index] if index < len(memo) else self.get(index)
                        if value is rebuild and not sparse:
                            known = len(persistents)
                            end = records.run(
                                data, pos, base, memo, rebuild, hooks, stack, persistents
                            )
                            if end > pos:
                                self.room -= COST * (len(persistents) - known)
                                pos = end
                                if self.room < 0:
                                    break
                                continue
                        stack.append(value)
                    elif op == 0x28:  # MARK
                        marked.append(stack)
                        if len(marked) > DEPTH:
                            raise BrokenPickleError("nests too deeply", "limit")
                        stack = []
                    elif op == 0x58:  # BINUNICODE
                        (size,) = _U4(data, pos)
                        end = pos + 4 + size
                        if size > 64:
                            stack.append(self.long_text(data, base, pos + 4, size))
                        elif end > limit:
                            raise IndexError
                        else:
                            stack.append(str(data[pos + 4 : end], "utf-8", "surrogatepass"))
                        pos = end
                    elif op == 0x74:  # TUPLE
                        made = tuple(stack)
                        stack = marked.pop()
                        stack.append(made)
                        self.room -= 64
                    elif op == 0x52:  # REDUCE
                        args = stack.pop()
                        call = Call(stack[-1], args, base + start)
                        stack[-1] = call
                        calls.append(call)
                        self.room -= 150
                    elif op == 0x29:  # EMPTY_TUPLE
                        stack.append(())
                    elif op == 0x6A:  # LONG_BINGET
                        (index,) = _U4(data, pos)
                        pos += 4
                        value = memo[index] if index < len(memo) else self.get(index)
                        if value is rebuild and not sparse:
                            known = len(persistents)
                            end = records.run(
                                data, pos, base, memo, rebuild, hooks, stack, persistents
                            )
                            if end > pos:
                                self.room -= COST * (len(persistents) - known)
                                pos = end
                                if self.room < 0:
                                    break
                                continue
                        stack.append(value)
                    elif op == 0x4D:  # BININT2
                        stack.append(_U2(data, pos)[0])
                        pos += 2
                    elif op == 0x85:  # TUPLE1
                        stack[-1] = (stack[-1],)
                        self.room -= 64
                    elif op == 0x51:  # BINPERSID
                        stack[-1] = Persistent(stack[-1])
                        persistents.append(stack[-1])
                        self.room -= 64
                    elif op == 0x89:  # NEWFALSE
                        stack.append(False)
                    elif op == 0x86:  # TUPLE2
                        last = stack.pop()
                        stack[-1] = (stack[-1], last)
                        self.room -= 64
                    elif op == 0x4A:  # BININT
                        stack.append(_I4(data, pos)[0])
                        pos += 4
                    elif op == 0x94:  # MEMOIZE
                        if sparse:
                            self.put(len(memo) + len(sparse), stack[-1])
                        else:
                            memo.append(stack[-1])
                    elif op == 0x8C:  # SHORT_BINUNICODE
                        end = pos + 1 + data[pos]
                        if end > limit:
                            raise IndexError
                        stack.append(str(data[pos + 1 : end], "utf-8", "surrogatepass"))
                        pos = end
                    elif op == 0x55:  # SHORT_BINSTRING
                        end = pos + 1 + data[pos]
                        if end > limit:
                            raise IndexError
                        stack.append(string(data[pos + 1 : end]))
                        pos = end
                    elif op == 0x87:  # TUPLE3
                        last, middle = stack.pop(), stack.pop()
                        stack[-1] = (stack[-1], middle, last)
                        self.room -= 64
                    elif op == 0x88:  # NEWTRUE
                        stack.append(True)
                    elif op == 0x4E:  # NONE
                        stack.append(None)
                    elif op == 0x47:  # BINFLOAT
                        stack.append(_F8(data, pos)[0])
                        pos += 8
                    elif op == 0x75:  # SETITEMS
                        items, stack = stack, marked.pop()
                        if len(items) % 2:
                            raise BrokenPickleError("sets a key without a value")
                        self.at = base + start
                        self.fill(stack[-1], items[::2], items[1::2])
                    elif op == 0x73:  # SETITEM
                        value, key = stack.pop(), stack.pop()
                        target = stack[-1]
                        if target.__class__ is dict and key.__class__ is str:
                            target[key] = value
                        else:
                            self.at = base + start
                            self.fill(target, [key], [value])
                    elif op == 0x7D:  # EMPTY_DICT
                        pair = None if sparse else records.version(data, pos, memo)
                        if pair is None:
                            stack.append({})
                        else:
                            pos, value = pair
                            stack.append(value)
                        self.room -= 240
                    elif op == 0x5D:  # EMPTY_LIST
                        stack.append([])
                        self.room -= 96
                    elif op == 0x62:  # BUILD
                        state = stack.pop()
                        self.at = base + start
                        self.build(stack[-1], state)
                    elif op == 0x63:  # GLOBAL
                        middle = data.find(b"\n", pos)
                        end = data.find(b"\n", middle + 1)
                        if middle < 0 or end < 0:
                            raise IndexError
                        self.at = base + start
                        found = self.named(data[pos:middle], data[middle + 1 : end])
                        stack.append(found)
                        pos = end + 1
                        if found.path == "torch._utils._rebuild_tensor_v2":
                            rebuild = found
                        elif found.path == "collections.OrderedDict":
                            hooks = found
                    elif op == 0x93:  # STACK_GLOBAL
                        last = stack.pop()
                        self.at = base + start
                        stack[-1] = self.looked_up(stack[-1], last)
                    elif op == 0x61:  # APPEND
                        value = stack.pop()
                        self.at = base + start
                        self.extend(stack[-1], [value])
                    elif op == 0x65:  # APPENDS
                        items, stack = stack, marked.pop()
                        self.at = base + start
                        self.extend(stack[-1], items)
                    elif op == 0x81 or op == 0x92:  # NEWOBJ, NEWOBJ_EX
                        options = stack.pop() if op == 0x92 else None
                        args = stack.pop()
                        call = Call(stack[-1], args, base + start)
                        call.how = "new"
                        if options is not None:
                            call.options = options
                        stack[-1] = call
                        calls.append(call)
                        self.room -= 150
                    elif op == 0x2E:  # STOP
                        self.at = base + start
                        value = stack.pop()
                        self.at = base + pos
                        return value
                    elif op == 0x6F or op == 0x69:  # OBJ, INST
                        self.at = base + start
                        if op == 0x69:
                            middle = data.find(b"\n", pos)
                            end = data.find(b"\n", middle + 1)
                            if middle < 0 or end < 0:
                                raise IndexError
                            stack.insert(0, self.named(data[pos:middle], data[middle + 1 : end]))
                            pos = end + 1
                        items, stack = stack, marked.pop()
                        if not items:
                            raise BrokenPickleError("makes an object of no class")
                        call = Call(items[0], tuple(items[1:]), base + start)
                        call.how = "object"
                        stack.append(call)
                        calls.append(call)
                        self.room -= 200
                    elif op == 0x30:  # POP
                        if stack:
                            stack.pop()
                        else:
                            stack = marked.pop()
                    elif op == 0x31:  # POP_MARK
                        stack = marked.pop()
                    elif op == 0x32:  # DUP
                        stack.append(stack[-1])
                    elif op == 0x6C or op == 0x64:  # LIST, DICT
                        items, stack = stack, marked.pop()
                        self.room -= 240
                        stack.append(items if op == 0x6C else {})
                        if op == 0x64:
                            if len(items) % 2:
                                raise BrokenPickleError("makes a dict with a key without a value")
                            self.at = base + start
                            self.fill(stack[-1], items[::2], items[1::2])
                    elif op == 0x90 or op == 0x91:  # ADDITEMS, FROZENSET
                        items, stack = stack, marked.pop()
                        self.room -= 240
                        self.at = base + start
                        if op == 0x91:
                            stack.append(frozenset(map(self.key, items)))
                        elif stack[-1].__class__ is set:
                            stack[-1].update(map(self.key, items))
                        else:
                            self.extend(stack[-1], items)
                    else:
                        self.at = base + start
                        pos = self.seldom(op, data, base, pos, stack)
                rounds += 1
                if rounds * _ROUND >= OPCODES:
                    raise BrokenPickleError(f"has more than {OPCODES} opcodes", "limit")
                if self.room < 0:
                    raise BrokenPickleError("describes too much for the memory", "limit")
                rest = repeat(None, _ROUND)
            except (IndexError, StructError):
                self.at = base + start
                self.stack = stack
                data = self.more(data, base, start)
                base, pos, limit = self.at, 0, len(data)
            except UnicodeDecodeError:
                self.at, self.stack = base + start, stack
                raise BrokenPickleError("has text that is not UTF-8") from None
            except BrokenPickleError:
                self.at, self.stack = base + start, stack
                raise
