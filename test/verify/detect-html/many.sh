# many.sh FOLDER - 40 rules of five levels for what the command writes.
for i in $(seq 1 40); do
    level=$(echo informational low medium high critical | cut -d ' ' -f $((i % 5 + 1)))
    printf 'title: Rule %s\nlogsource:\n    product: windows\nlevel: %s\ndetection:\n    s:\n        CommandLine|endswith: "r%s"\n    condition: s\n' \
        "$i" "$level" "$i" > "$1/$i.yml"
done
