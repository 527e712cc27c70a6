"""``embersort bench site`` and ``bench serve``: the results as a website."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Results = Annotated[Path, typer.Argument(help="Folder with results.jsonl, as bench run wrote it.")]
DEFAULT_PORT = 8000


def site(
    results: Results,
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder of the site.")],
    before: Annotated[
        list[Path] | None,
        typer.Option(help="Earlier results, to show what changed since; may be given again."),
    ] = None,
    no_details: Annotated[
        bool,
        typer.Option(
            "--no-details",
            help="Leave out what is read from recordings and sortings on this machine.",
        ),
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace an earlier site there.")
    ] = False,
) -> None:
    """Write the website of the results: static files, to be opened or hosted anywhere."""
    from embersort.benchmark.catalogue import load_registry
    from embersort.benchmark.export import read_results
    from embersort.benchmark.home import find_home
    from embersort.benchmark.site import build_site
    from embersort.benchmark.sorters.catalogue import SORTERS

    home = find_home()
    build_site(
        read_results(results),
        out,
        registry=load_registry(home),
        sorters=SORTERS,
        home=None if no_details else home,
        before={str(path): read_results(path) for path in before or []},
        overwrite=overwrite,
    )
    typer.echo(str(out / "index.html"))


def serve(
    folder: Annotated[Path, typer.Argument(help="Folder of a site.")],
    port: Annotated[int, typer.Option(help="Port; only this machine can reach it.")] = DEFAULT_PORT,
) -> None:
    """Serve a site on this machine, for a look; Ctrl-C ends it."""
    from functools import partial
    from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

    from embersort.errors import BadInput

    if not (folder / "index.html").is_file():
        raise BadInput(f"{folder} is not a site: it has no index.html")
    handler = partial(SimpleHTTPRequestHandler, directory=str(folder))
    try:
        server = ThreadingHTTPServer(("127.0.0.1", port), handler)
    except OSError as error:
        raise BadInput(
            f"port {port} cannot be used ({error.strerror}); give another --port"
        ) from None
    typer.echo(f"http://127.0.0.1:{server.server_port}/")
    with server:
        server.serve_forever()
