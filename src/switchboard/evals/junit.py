"""JUnit XML: what continuous integration reads."""

from xml.etree.ElementTree import Element, SubElement, indent, tostring

from switchboard.evals.results import Run


def junit(run: Run) -> bytes:
    """One suite; a test case for each conversation."""
    failed = sum(not each.passed for each in run.results)
    suites = Element("testsuites")
    suite = SubElement(
        suites,
        "testsuite",
        name=f"switchboard eval by {run.by}",
        tests=str(len(run.results)),
        failures=str(failed),
        errors="0",
        time=f"{run.took_s:.3f}",
        timestamp=run.began_at,
    )
    for each in run.results:
        case = SubElement(
            suite,
            "testcase",
            classname=f"evals.{each.agent}",
            name=f"{each.id} [{each.repetition}]",
            time=f"{each.seconds:.3f}",
        )
        wrong = [verdict for verdict in each.verdicts if not verdict.passed]
        if wrong:
            failure = SubElement(case, "failure", message=_printable(wrong[0].text))
            failure.text = "\n".join(_printable(f"{v.judge}: {v.text}") for v in wrong)
        out = SubElement(case, "system-out")
        out.text = "\n".join(_printable(f"{line.speaker}: {line.text}") for line in each.lines)
    indent(suites)
    found: bytes = tostring(suites, encoding="utf-8", xml_declaration=True)
    return found


def _printable(text: str) -> str:
    """Without what XML cannot hold."""
    return "".join(char for char in text if char in "\t\n" or char.isprintable())
