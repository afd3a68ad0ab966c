// parse-alone FILE.jsonl: how fast simdjson parses JSON lines and does nothing else with them.
// The bar below which no program that parses every byte with a general reader can come.
#include <chrono>
#include <cstdio>
#include <simdjson.h>

int main(int argc, char **argv)
{
    if (argc != 2) {
        std::fprintf(stderr, "usage: parse-alone FILE.jsonl\n");
        return 2;
    }
    simdjson::padded_string text;
    if (simdjson::padded_string::load(argv[1]).get(text)) {
        std::fprintf(stderr, "parse-alone: cannot read %s\n", argv[1]);
        return 1;
    }
    auto start = std::chrono::steady_clock::now();
    simdjson::dom::parser parser;
    simdjson::dom::document_stream stream;
    if (parser.parse_many(text, 1 << 20).get(stream)) {
        return 1;
    }
    size_t events = 0;
    size_t bad = 0;
    for (auto document : stream) {
        bad += document.error() != simdjson::SUCCESS;
        events++;
    }
    std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    std::printf("events=%zu bad=%zu run_s=%.3f events_per_s=%.0f\n", events, bad, took.count(),
            events / took.count());
    return 0;
}
