"""How long it takes to say what is in a model file; see inspect_speed.py, which does the work.

Run: `python benchmarks/inspect.py --help`.

Scripts in this folder have it on their path, where this file hides the standard library's module
`inspect`: whoever imports that name gets the standard library's.
"""

if __name__ == "__main__":
    from inspect_speed import main

    main()
else:
    import sys
    from importlib import util
    from pathlib import Path

    spec = util.spec_from_file_location(__name__, Path(util.__file__).parents[1] / "inspect.py")
    assert spec is not None
    assert spec.loader is not None
    module = util.module_from_spec(spec)
    sys.modules[__name__] = module
    spec.loader.exec_module(module)
