"""The load test's own options, beside Locust's."""

from __future__ import annotations

from bench.load.shapes import Shape


def add_options(parser) -> None:
    """Adds them to Locust's parser. All are plain values, which Locust sends to its workers."""
    parser.add_argument(
        "--token",
        env_var="ROLLCALL_LOAD_TOKEN",
        default="",
        is_secret=True,
        help="API key of an admin; better in ROLLCALL_LOAD_TOKEN, where no list of processes shows it",
    )
    parser.add_argument(
        "--shape", choices=[shape.value for shape in Shape], default=Shape.STEADY.value,
        help="how the number of users changes",
    )  # fmt: skip
    parser.add_argument(
        "--faces",
        help="folder of <employee_id>_<name>/*.jpg, portraits; default: faces from installed packages",
    )
    parser.add_argument("--allow-host", default="", help="the one other machine that may be loaded")
    parser.add_argument("--max-p95-ms", type=float, default=1000.0, help="of check-ins, and of recognitions")
    parser.add_argument("--max-error-rate", type=float, default=0.0, help="share of all requests")
    parser.add_argument(
        "--max-busy-rate", type=float, default=0.05, help="share of all requests answered with 503"
    )
    parser.add_argument(
        "--max-wrong", type=int, default=0, help="wrong or missing people, lost or doubled punches"
    )
    parser.add_argument("--report", help="writes the plots as REPORT.html and REPORT.png")
    parser.add_argument(
        "--clean-up", action="store_true", help="erase the people afterwards whom this run has enrolled"
    )
