"""What apt's library would install for lists of packages.

Standard input: {"root": "empty" | "minbase", "lists": [[NAME, ...], ...]}. Standard output: {"base": [...], "status": TEXT, "solutions": [...]}:
the "NAME=VERSION" of what is there before, dpkg's status file that says so, and for each list what comes with it (null where apt finds no
solution), sorted. In an empty root nothing is installed; a minbase has what is essential or required, and apt, as its own solution says.
Recommends are not followed, as with `apt-get install --no-install-recommends`. Uses the indexes of this machine. Needs the Debian
package python3-apt.

One process loads the indexes once, `apt-get --simulate` would for each list. What is solved is solved in a child process: starting from
nothing marked takes apt longer than solving.
"""

import functools
import json
import os
import sys
import tempfile

import apt_pkg


def open_cache(status):
    """The indexes, with what a dpkg status file says is installed."""
    settings = {
        "APT::Install-Recommends": "false",
        "Dir::State::status": status,
        "Dir::State::extended_states": "/dev/null",
        "Dir::Cache::pkgcache": "",
        "Dir::Cache::srcpkgcache": "",
    }
    for key, value in settings.items():
        apt_pkg.config.set(key, value)
    apt_pkg.init_system()
    cache = apt_pkg.Cache(None)
    state = apt_pkg.DepCache(cache)
    state.init()
    return cache, state


def solve(cache, state, names):
    """Versions by package, or None."""
    if any(name not in cache or not cache[name].has_versions for name in names):
        return None
    packages = [cache[name] for name in names]
    resolver = apt_pkg.ProblemResolver(state)
    # apt-get marks all that it is asked for before it follows dependencies.
    for package in packages:
        resolver.clear(package)
        resolver.protect(package)
        state.mark_install(package, False, True)
    for package in packages:
        state.mark_install(package, True, True)
    if state.broken_count > 0:
        try:
            resolver.resolve(True)
        except apt_pkg.Error:
            return None
    if state.broken_count > 0 or state.del_count > 0:
        return None
    is_new = state.marked_install
    return [(package, state.get_candidate_ver(package)) for package in real_packages(cache) if is_new(package)]


@functools.cache
def real_packages(cache):
    """All packages but those that are only mentioned."""
    return [package for package in cache.packages if package.has_versions]


def in_child(work):
    """What a function returns (as JSON) when it runs in a copy of this process."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        try:
            with os.fdopen(writer, "w") as pipe:
                json.dump(work(), pipe)
            os._exit(0)
        finally:
            os._exit(1)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        text = pipe.read()
    if os.waitpid(child, 0)[1] != 0:
        raise SystemExit("apt's library failed")
    return json.loads(text)


def named(solution):
    return None if solution is None else sorted(f"{package.name}={version.ver_str}" for package, version in solution)


def minbase(cache, state):
    """Names and versions of a minbase, and its dpkg status file."""
    names = ["apt"]
    for package in cache.packages:
        candidate = state.get_candidate_ver(package)
        if candidate is not None and (package.essential or candidate.priority == apt_pkg.PRI_REQUIRED):
            names.append(package.name)
    # Stands for a merged /usr; the alternative would convert it.
    solution = solve(cache, state, ["usr-is-merged"] + names)
    records = apt_pkg.PackageRecords(cache)
    status = []
    for _, version in solution:
        records.lookup(version.file_list[0])
        status.append(records.record.strip("\n") + "\nStatus: install ok installed\n")
    return {"names": named(solution), "status": "\n".join(status)}


def main():
    request = json.load(sys.stdin)
    apt_pkg.init_config()
    cache, state = open_cache("/dev/null")
    found = {"names": [], "status": ""}
    if request["root"] == "minbase":
        found = in_child(lambda: minbase(cache, state))
        with tempfile.NamedTemporaryFile("w", suffix=".status") as status:
            status.write(found["status"])
            status.flush()
            cache, state = open_cache(status.name)
    real_packages(cache)
    # Never left: apt would look for what is no longer needed after each solution.
    group = apt_pkg.ActionGroup(state)
    solutions = [in_child(lambda names=names: named(solve(cache, state, names))) for names in request["lists"]]
    json.dump({"base": found["names"], "status": found["status"], "solutions": solutions}, sys.stdout)
    del group


main()
