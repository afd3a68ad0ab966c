#include "base/random.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <sys/types.h>

enum err random_fill(char *to, size_t size, struct diag *diag)
{
    size_t done = 0;
    while (done < size) {
        ssize_t n = getrandom(to + done, size - done, 0);
        if (n < 0 && errno != EINTR) {
            char words[128];
            return diag_say(
                    diag, ERR_IO, "random bytes: %s", strerror_r(errno, words, sizeof words));
        }
        done += n > 0 ? (size_t)n : 0;
    }
    return OK;
}
