"""The arithmetic of int8, against its definition in numpy."""

import numpy as np
import onnx
import onnxruntime

from pipeline.exporting.int8 import quantize


def test_int8_keeps_each_row_and_column_to_its_own_scale() -> None:
    """Against the definition in numpy; a batch-wide scale would lose the small row and column altogether."""
    chance = np.random.default_rng(0)
    table = chance.normal(size=(9, 16)).astype(np.float32)
    table[4] *= 1e4
    weights = chance.normal(size=(16, 5)).astype(np.float32)
    weights[:, 2] *= 1e-4
    helper = onnx.helper
    graph = helper.make_graph(
        [helper.make_node("Gather", ["table", "ids"], ["rows"], "look"),
         helper.make_node("MatMul", ["rows", "weights"], ["out"], "times")],
        "g",
        [helper.make_tensor_value_info("ids", onnx.TensorProto.INT64, ["n"])],
        [helper.make_tensor_value_info("out", onnx.TensorProto.FLOAT, ["n", 5])],
        [onnx.numpy_helper.from_array(table, "table"), onnx.numpy_helper.from_array(weights, "weights")],
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    quantize(model)
    onnx.checker.check_model(model)
    assert {t.name for t in model.graph.initializer} & {"table", "weights"} == set()
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    ids = np.arange(9)
    (found,) = session.run(None, {"ids": ids})
    exact = table.astype(np.float64) @ weights
    # Three roundings by at most half a step of 1/127 of the largest: of table, activations and weights.
    bound = 3 * 0.51 / 127 * np.abs(table).max(1)[:, None] * np.abs(weights).max(0) * 16
    assert (np.abs(found - exact) <= bound).all()
    assert (np.abs(found) > 0).all()
