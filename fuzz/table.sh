#!/usr/bin/env bash
# docs/results/fuzzing.csv added up: time, executions and inputs found of each target, as a table in Markdown.
set -euo pipefail
cd "$(dirname "$0")"
csv="${VLPT_FUZZ_CSV:-../docs/results/fuzzing.csv}"
[ -e "$csv" ] || { echo "$csv: nothing was run yet, see fuzz/smoke.sh" >&2; exit 2; }
awk -F, '
    NR == 1 { next }
    { seconds[$2] += $3; runs[$2] += $4; found[$2] += $6; if ($5 > peak[$2]) peak[$2] = $5 }
    function row(name, s, r, p, f) {
        printf "| %s | %d:%02d | %d | %s | %d |\n", name, s / 3600, s % 3600 / 60, r, p, f
    }
    END {
        print "| target | time, h:min | executions | peak, MiB | inputs found |"
        print "|---|---|---|---|---|"
        count = 0
        for (name in seconds) names[++count] = name
        for (i = 2; i <= count; i++)
            for (j = i; j > 1 && names[j - 1] > names[j]; j--) { t = names[j]; names[j] = names[j - 1]; names[j - 1] = t }
        for (i = 1; i <= count; i++) {
            name = names[i]
            row("`" name "`", seconds[name], runs[name], peak[name], found[name])
            s += seconds[name]; r += runs[name]; f += found[name]
        }
        row("all", s, r, "", f)
    }' "$csv"
