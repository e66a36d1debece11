"""An ONNX network with 8-bit weights: a quarter of the size, and integer matrix products.

Activations are quantised while the network runs, every row (piece) with a scale of its own. So a piece with
large values costs the others no precision, and a sentence gets the same tags whatever else is in its batch.
With ONNX Runtime's own dynamic quantisation, which has one scale for the whole batch, neither is so.
"""

from collections.abc import Iterator

import numpy as np
from onnx import GraphProto, ModelProto, NodeProto, TensorProto, helper, numpy_helper
from onnx.helper import make_node

RUNTIME = "com.microsoft"  # the operators that ONNX Runtime adds
_MIDDLE, _LARGEST = 128, 127  # the unsigned 8-bit number that means 0, and the largest distance from it
_LEAST = 1e-12  # the smallest scale: a row of zeros has one too


def quantize(model: ModelProto) -> None:
    """Make every matrix that activations are multiplied with, and every embedding table, 8 bits wide.

    With W a matrix [K, N], w_j = max_k |W_kj| / 127 and x a row of activations, s = max_k |x_k| / 127:

        x W ≈ s · (round(x / s) · round(W / w)) · w

    An embedding table has a scale for each of its rows.
    """
    graph = model.graph
    tables = {
        tensor.name: tensor
        for tensor in graph.initializer
        if tensor.data_type == TensorProto.FLOAT and len(tensor.dims) == 2
    }
    rewritten = _Rewritten(graph, tables)
    for node in graph.node:
        rewritten.add(node)
    del graph.node[:]
    graph.node.extend(rewritten.nodes)
    used = {name for node in graph.node for name in node.input}
    kept = [tensor for tensor in graph.initializer if tensor.name in used]
    del graph.initializer[:]
    graph.initializer.extend(kept)
    if not any(entry.domain == RUNTIME for entry in model.opset_import):
        model.opset_import.append(helper.make_opsetid(RUNTIME, 1))


class _Rewritten:
    """The nodes of a graph in their order, with the products with `tables` and look-ups in them replaced."""

    def __init__(self, graph: GraphProto, tables: dict[str, TensorProto]) -> None:
        self.nodes: list[NodeProto] = []
        self._graph, self._tables = graph, tables
        self._rows: set[str] = set()  # activations that are quantised already
        self._stored: set[str] = set()
        self._store("int8.middle", np.array(_MIDDLE, np.uint8))
        self._store("int8.one", np.array(1, np.float32))
        self._store("int8.least", np.array(_LEAST, np.float32))
        self._store("int8.largest", np.array(_LARGEST, np.float32))
        self._store("int8.round", np.array(_MIDDLE + 0.5, np.float32))
        self._store("int8.last_axis", np.array([-1], np.int64))

    def add(self, node: NodeProto) -> None:
        """Append the node, or what takes its place."""
        if node.op_type == "MatMul" and node.input[1] in self._tables:
            self.nodes += self._product(node)
        elif node.op_type == "Gather" and node.input[0] in self._tables:
            self.nodes += self._look_up(node)
        else:
            self.nodes.append(node)

    def _product(self, node: NodeProto) -> Iterator[NodeProto]:
        rows, table = node.input
        weights, scale = self._narrow(table, axis=0)
        if rows not in self._rows:
            self._rows.add(rows)
            yield from _quantized_rows(rows)
        raw = f"{node.output[0]}.unscaled"
        operands = [f"{rows}.int8", weights, "int8.one", scale, "int8.middle"]
        yield make_node("MatMulIntegerToFloat", operands, [raw], f"{node.name}.int8", domain=RUNTIME)
        yield make_node("Mul", [raw, f"{rows}.scale"], [node.output[0]], f"{node.name}.scaled")

    def _look_up(self, node: NodeProto) -> Iterator[NodeProto]:
        table, places = node.input
        narrow, scale = self._narrow(table, axis=1)
        out = node.output[0]
        found = f"{out}.found"
        yield make_node("Gather", [narrow, places], [f"{found}.int8"], f"{found}.int8")
        yield make_node("Gather", [scale, places], [f"{found}.scale"], f"{found}.scale")
        yield make_node("Cast", [f"{found}.int8"], [f"{found}.raw"], f"{found}.raw", to=TensorProto.FLOAT)
        yield make_node("Mul", [f"{found}.raw", f"{found}.scale"], [out], f"{found}.scaled")

    def _narrow(self, table: str, *, axis: int) -> tuple[str, str]:
        """Store a table as int8 with the scales that go along the other axis; return both names."""
        names = f"{table}.int8.{axis}", f"{table}.scale.{axis}"
        values = numpy_helper.to_array(self._tables[table])
        scale = np.maximum(np.abs(values).max(axis, keepdims=True) / _LARGEST, _LEAST).astype(np.float32)
        self._store(names[0], np.rint(values / scale).astype(np.int8))
        self._store(names[1], scale[0] if axis == 0 else scale)
        return names

    def _store(self, name: str, values: np.ndarray) -> None:
        if name not in self._stored:
            self._stored.add(name)
            self._graph.initializer.append(numpy_helper.from_array(values, name))


def _quantized_rows(rows: str) -> Iterator[NodeProto]:
    """`rows` → `rows.int8` (unsigned, 128 means 0) and `rows.scale`."""
    steps = [
        ("Abs", [rows], "size"),
        ("ReduceMax", [f"{rows}.size", "int8.last_axis"], "most"),
        ("Div", [f"{rows}.most", "int8.largest"], "share"),
        ("Max", [f"{rows}.share", "int8.least"], "scale"),
        ("Div", [rows, f"{rows}.scale"], "ratio"),
        ("Add", [f"{rows}.ratio", "int8.round"], "shifted"),  # the cast truncates
    ]
    for kind, operands, result in steps:
        yield make_node(kind, operands, [f"{rows}.{result}"], f"{rows}.{result}")
    yield make_node("Cast", [f"{rows}.shifted"], [f"{rows}.int8"], f"{rows}.int8", to=TensorProto.UINT8)
