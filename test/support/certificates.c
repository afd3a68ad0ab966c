#include "support/certificates.h"

#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <string.h>

static void keep(struct buf *out, BIO *bio)
{
    char *text;
    long size = BIO_get_mem_data(bio, &text);
    buf_add(out, slice_of(text, size > 0 ? (size_t)size : 0));
    buf_byte(out, '\0');
    out->size -= !out->failed;
    BIO_free(bio);
}

static bool may_sign(X509 *x509)
{
    X509_EXTENSION *may =
            X509V3_EXT_conf_nid(NULL, NULL, NID_basic_constraints, "critical,CA:TRUE");
    bool good = may && X509_add_ext(x509, may, -1) == 1;
    X509_EXTENSION_free(may);
    return good;
}

static void name_it(X509_NAME *of, const char *name)
{
    X509_NAME_add_entry_by_txt(
            of, "CN", MBSTRING_UTF8, (const unsigned char *)name, (int)strlen(name), -1, 0);
}

bool certificate_make(struct certificate *out, const char *name, const struct certificate *issuer)
{
    static long serial = 1;
    *out = (struct certificate){.x509 = X509_new(), .key = EVP_EC_gen("P-256")};
    if (!out->x509 || !out->key) {
        return false;
    }
    X509_set_version(out->x509, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(out->x509), serial++);
    X509_gmtime_adj(X509_getm_notBefore(out->x509), -3600);
    X509_gmtime_adj(X509_getm_notAfter(out->x509), 86400);
    name_it(X509_get_subject_name(out->x509), name);
    X509_set_pubkey(out->x509, out->key);
    X509 *by = issuer ? issuer->x509 : out->x509;
    X509_set_issuer_name(out->x509, X509_get_subject_name(by));
    if ((!issuer && !may_sign(out->x509)) ||
            X509_sign(out->x509, issuer ? issuer->key : out->key, EVP_sha256()) == 0) {
        return false;
    }
    BIO *pem = BIO_new(BIO_s_mem()), *key = BIO_new(BIO_s_mem());
    bool good = pem && key && PEM_write_bio_X509(pem, out->x509) == 1 &&
                PEM_write_bio_PrivateKey(key, out->key, NULL, NULL, 0, NULL, NULL) == 1;
    keep(&out->pem, pem);
    keep(&out->key_pem, key);
    return good && !out->pem.failed && !out->key_pem.failed;
}

void certificate_fini(struct certificate *certificate)
{
    X509_free(certificate->x509);
    EVP_PKEY_free(certificate->key);
    buf_fini(&certificate->pem);
    buf_fini(&certificate->key_pem);
}
