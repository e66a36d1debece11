"""A full memory is one line that names the batch size; other errors stay what they are."""

import pytest
import torch
import typer

from stages.command import run_application
from stages.out_of_memory import out_of_memory


def test_a_gpu_and_a_cpu_without_room_are_told_with_the_parameter() -> None:
    gpu = torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
    assert out_of_memory(gpu, "distill") == (
        "out of memory (CUDA out of memory. Tried to allocate 2.00 GiB.); lower student.batch_size, or free "
        "memory"
    )
    with pytest.raises(RuntimeError) as cpu:
        torch.empty(1 << 60)
    line = out_of_memory(cpu.value, "evaluate")
    assert line is not None
    assert line.endswith("; lower evaluate.batch_size, or free memory")
    assert out_of_memory(MemoryError(), "report") == "out of memory (MemoryError); free memory"
    assert out_of_memory(RuntimeError("a bug"), "teacher") is None


@pytest.mark.parametrize(
    ("error", "ends_with"),
    [(torch.OutOfMemoryError("full"), SystemExit), (RuntimeError("bug"), RuntimeError)],
)
def test_a_stage_ends_with_that_line(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    ends_with: type[BaseException],
) -> None:
    monkeypatch.setattr("sys.argv", ["teacher"])
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

    @app.command()
    def main() -> None:
        raise error

    with pytest.raises(ends_with) as ended:
        run_application(app, "teacher", [])
    if isinstance(ended.value, SystemExit):
        assert ended.value.code == 2
        assert (
            capsys.readouterr().err
            == "error: out of memory (full); lower teacher.batch_size, or free memory\n"
        )
