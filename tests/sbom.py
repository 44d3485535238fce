"""Validates an SBOM with tools that are not ours: the schema in strict mode, package URLs, licence expressions, and that references meet."""

import json
import sys

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from license_expression import get_spdx_licensing
from packageurl import PackageURL

text = sys.stdin.read()
error = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
assert error is None, error

sbom = json.loads(text)
components = sbom["components"] + [sbom["metadata"]["component"]]
references = {component["bom-ref"] for component in components}
assert len(references) == len(components), "two components share a reference"
assert references == {one["ref"] for one in sbom["dependencies"]}, "every component has its dependencies, and nothing else has"
assert all(on in references for one in sbom["dependencies"] for on in one["dependsOn"]), "a dependency is no component"
for component in components:
    url = PackageURL.from_string(component["purl"])
    assert url.to_string() == component["purl"], component["purl"]
    assert (url.type, url.name, url.version) == ("cargo", component["name"], component["version"]), component["purl"]
    for licence in component.get("licenses", []):
        problems = get_spdx_licensing().validate(licence["expression"]).errors
        assert not problems, problems
plugins = [one for one in components if any(p["name"] == "nekro:plugin" for p in one.get("properties", []))]
assert plugins, "no component is a plugin"
print(f"{len(components)} components are valid, {len(plugins)} of them plugins")
