"""The command `attntrace`, and `python -m attntrace`. Ctrl-C ends it silently at any moment, so nothing is imported
here that takes time."""
import _signal  # type: ignore[import-not-found]  # the part of signal that is built into Python
import _thread
import atexit
import gc
import os
import sys

INTERRUPTED = 130
exit_codes: "list[int]" = []  # of the command that has ended
unraisable_interrupts: "list[type[BaseException]]" = []  # the second one may come after the end of a short command


def main() -> None:
    is_ours = _signal.getsignal(_signal.SIGINT) is _signal.default_int_handler  # else the caller ignores it (nohup)
    if is_ours:
        _signal.signal(_signal.SIGINT, end)
    atexit.register(skip_teardown)  # the first to be registered is the last to be called
    gc.set_threshold(100_000)  # a short run ends before there is garbage worth looking for
    sys.unraisablehook = report_unraisable
    from attntrace.cli.app import run
    for name in ("SIGTERM", "SIGHUP"):  # unwind at these, so that no half-written file stays behind
        number = getattr(_signal, name, None)
        if number is not None and _signal.getsignal(number) == _signal.SIG_DFL:
            _signal.signal(number, lambda number, frame: sys.exit(128 + number))
    try:
        if is_ours:
            _signal.signal(_signal.SIGINT, _signal.default_int_handler)  # from here on there may be work to undo
        code = run(sys.argv[1:])
        if is_ours:
            _signal.signal(_signal.SIGINT, end)
    except KeyboardInterrupt:
        end()
    exit_codes.append(code)
    sys.exit(code)


def end(*_: object) -> None:
    """End at once: there is nothing to undo yet, or nothing left."""
    os._exit(INTERRUPTED)


def skip_teardown() -> None:
    """End before Python takes all modules apart, which is a tenth of a short command: all output is flushed by now.
    Python would also die of a Ctrl-C that came in an exec of text (a named tuple being defined, say)."""
    if exit_codes:
        os._exit(INTERRUPTED if unraisable_interrupts else exit_codes[-1])


def report_unraisable(unraisable: "sys.UnraisableHookArgs") -> None:
    """Raise Ctrl-C again after a place where Python cannot raise it (a destructor) and would print it."""
    if unraisable.exc_type is KeyboardInterrupt:
        unraisable_interrupts.append(unraisable.exc_type)
        _thread.start_new_thread(os.kill, (os.getpid(), _signal.SIGINT))  # a moment later: here it is printed as well
    else:
        sys.__unraisablehook__(unraisable)


if __name__ == "__main__":
    main()
