#include "sigma/address.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

/* Parses the whole of `text`; out->bits is that of one address. */
static bool parse(struct slice text, struct cidr *out)
{
    char copy[INET6_ADDRSTRLEN + 1];
    struct cidr address = {.v6 = slice_find_byte(text, ':') < text.size};
    if (address.v6) {
        text.size = slice_find_byte(text, '%');
    }
    if (text.size == 0 || text.size >= sizeof copy || slice_find_byte(text, '\0') < text.size) {
        return false;
    }
    memcpy(copy, text.at, text.size);
    copy[text.size] = '\0';
    address.bits = address.v6 ? 128 : 32;
    if (inet_pton(address.v6 ? AF_INET6 : AF_INET, copy, address.address) != 1) {
        return false;
    }
    *out = address;
    return true;
}

static void clear_behind(struct cidr *network)
{
    for (unsigned i = 0; i < sizeof network->address; i++) {
        unsigned bits = network->bits > i * 8 ? network->bits - i * 8 : 0;
        if (bits < 8) {
            network->address[i] &= (uint8_t)(0xFF00u >> bits);
        }
    }
}

bool address_network(struct slice text, struct cidr *out)
{
    size_t slash = slice_find_byte(text, '/');
    struct cidr network;
    if (!parse(slice_of(text.at, slash), &network)) {
        return false;
    }
    if (slash < text.size) {
        struct slice prefix = slice_of(text.at + slash + 1, text.size - slash - 1);
        unsigned bits = 0;
        if (prefix.size == 0 || prefix.size > 3) {
            return false;
        }
        for (size_t i = 0; i < prefix.size; i++) {
            if (prefix.at[i] < '0' || prefix.at[i] > '9') {
                return false;
            }
            bits = bits * 10 + (unsigned)(prefix.at[i] - '0');
        }
        if (bits > network.bits) {
            return false;
        }
        network.bits = (uint8_t)bits;
    }
    clear_behind(&network);
    *out = network;
    return true;
}

bool address_within(const struct cidr *network, struct slice text)
{
    struct cidr address;
    if (!parse(text, &address) || address.v6 != network->v6) {
        return false;
    }
    address.bits = network->bits;
    clear_behind(&address);
    return memcmp(address.address, network->address, sizeof address.address) == 0;
}

struct slice address_write(const struct cidr *network, char *to)
{
    char text[INET6_ADDRSTRLEN] = "";
    (void)inet_ntop(network->v6 ? AF_INET6 : AF_INET, network->address, text, sizeof text);
    int n = snprintf(to, ADDRESS_TEXT, "%s/%u", text, network->bits);
    return slice_of(to, n > 0 ? (size_t)n : 0);
}
