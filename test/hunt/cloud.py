"""cloud - the book of hunts over clouds (hunts/cloud), each tried on recorded events: what a query counts, against what is
counted here from the same JSON; how many rows it is known to give; and a value that must be among them.

    check(merlon, top, shared)   ->   (passed, failed); (0, 0): there are no recorded events"""
import csv
import json
import os
import subprocess
import tempfile


def at(event, path):
    """The texts at a path, through lists, folded."""
    found = [event]
    for part in path.split("."):
        found = [x.get(part) for f in found for x in (f if isinstance(f, list) else [f]) if isinstance(x, dict)]
    flat = [x for f in found for x in (f if isinstance(f, list) else [f])]
    return [json.dumps(x) if isinstance(x, bool) else str(x).lower() for x in flat
            if x is not None and not isinstance(x, (dict, list))]


def leaves(value):
    if isinstance(value, (dict, list)):
        for v in value.values() if isinstance(value, dict) else value:
            yield from leaves(v)
    elif value is not None:
        yield str(value).lower()


def test(how, path, values):
    return lambda e: any(how(v, w.lower()) for v in at(e, path) for w in values)


def one(path, *values):
    return test(str.__eq__, path, values)


def ends(path, *values):
    return test(str.endswith, path, values)


def starts(path, *values):
    return test(str.startswith, path, values)


def has(path, *values):
    return test(str.__contains__, path, values)


def words(*values):
    return lambda e: any(w.lower() in v for v in leaves(e) for w in values)


def both(*tests):
    return lambda e: all(t(e) for t in tests)


def either(*tests):
    return lambda e: any(t(e) for t in tests)


def no(t):
    return lambda e: not t(e)


NAME, ARN, METHOD = "eventName", "userIdentity.arn", "protoPayload.methodName"
IAM = one("eventSource", "iam.amazonaws.com")
# By file and query: which events it takes, how many rows it gives, what is among their values.
KNOWN = {
    ("aws-access-keys", "Keys, by maker and user"): (both(IAM, one(NAME, "CreateAccessKey")), 6, "stratus-red-team-backdoor-u-user"),
    ("aws-access-keys", "Passwords set for users"): (
        both(IAM, one(NAME, "CreateLoginProfile", "UpdateLoginProfile")), 6, "UpdateLoginProfile"),
    ("aws-administrators", "Who attached it, to whom"): (
        both(one(NAME, "AttachUserPolicy", "AttachRolePolicy", "AttachGroupPolicy"),
             ends("requestParameters.policyArn", "/AdministratorAccess", "/IAMFullAccess", "/PowerUserAccess")), 5, "AttachRolePolicy"),
    ("aws-administrators", "Policies written into users and roles"): (
        one(NAME, "PutUserPolicy", "PutRolePolicy", "PutGroupPolicy"), 7, "stratus-red-team-ec2-get-password-data-role"),
    ("aws-code", "Functions whose code or layers changed"): (
        starts(NAME, "UpdateFunctionCode", "UpdateFunctionConfiguration", "AddPermission2015"), 15,
        "UpdateFunctionConfiguration20150331v2"),
    ("aws-code", "Commands sent to instances"): (
        one(NAME, "SendCommand", "StartSession", "SendSSHPublicKey", "SendSerialConsoleSSHPublicKey"), 7, "SendSSHPublicKey"),
    ("aws-console-without-mfa", "Sign-ins without MFA"): (
        both(one(NAME, "ConsoleLogin"), one("additionalEventData.MFAUsed", "No")), 10, "IAMUser"),
    ("aws-instance-credentials", "Instances with several addresses"): (
        both(one("userIdentity.type", "AssumedRole"), has(ARN, "/i-")), 2,
        "arn:aws:sts::123837392027:assumed-role/stratus-red-team-ec2-steal-credentials-role/i-0dbc91f429e48eeed"),
    ("aws-logging-off", "Who switched what off"): (
        one(NAME, "StopLogging", "DeleteTrail", "UpdateTrail", "PutEventSelectors", "DeleteFlowLogs", "DeleteLogGroup",
            "DeleteLogStream", "DeleteResolverQueryLogConfig", "DisassociateResolverQueryLogConfig", "DeleteDetector",
            "StopConfigurationRecorder", "DeleteConfigurationRecorder"), 13, "DeleteResolverQueryLogConfig"),
    ("aws-network", "Rules that let the Internet in"): (
        both(one(NAME, "AuthorizeSecurityGroupIngress", "CreateNetworkAclEntry", "ReplaceNetworkAclEntry"), words("0.0.0.0/0")), 4,
        "AuthorizeSecurityGroupIngress"),
    ("aws-public-storage", "Policies and locks of buckets"): (
        both(one("eventSource", "s3.amazonaws.com"),
             one(NAME, "PutBucketPolicy", "DeleteBucketPolicy", "PutBucketAcl", "PutBucketReplication", "DeleteBucketPublicAccessBlock",
                 "DeleteAccountPublicAccessBlock")), 9, "PutBucketPolicy"),
    ("aws-secrets", "Identities by the secrets they asked for"): (
        one(NAME, "GetSecretValue", "BatchGetSecretValue"), 2, "arn:aws:iam::123837392027:user/bert-jan"),
    ("aws-secrets", "Passwords of instances"): (
        one(NAME, "GetPasswordData"), 4,
        "arn:aws:sts::457448411975:assumed-role/stratus-red-team-ec2-get-password-data-role/aws-go-sdk-1722375070115152000"),
    ("aws-shared-images", "What was shared"): (
        one(NAME, "ModifyImageAttribute", "ModifySnapshotAttribute", "ModifyDBSnapshotAttribute", "ModifyDBClusterSnapshotAttribute"),
        8, "ModifyDBSnapshotAttribute"),
    ("aws-trust", "Trust that was changed"): (
        one(NAME, "UpdateAssumeRolePolicy", "CreateTrustAnchor", "UpdateTrustAnchor", "CreateSAMLProvider", "UpdateSAMLProvider",
            "CreateOpenIDConnectProvider", "AddClientIDToOpenIDConnectProvider"), 8, "CreateTrustAnchor"),
    ("aws-trust", "Accounts that leave the organisation"): (
        one(NAME, "LeaveOrganization", "RemoveAccountFromOrganization", "InviteAccountToOrganization"), 3, "LeaveOrganization"),
    ("azure-commands", "Commands, extensions, consoles, runbooks"): (
        ends("operationName", "/runCommand/action", "/virtualMachines/extensions/write", "/serialPorts/connect/action",
             "/automationAccounts/jobs/write", "/automationAccounts/webhooks/write", "/automationAccounts/webhooks/action"), 12,
        "MICROSOFT.SERIALCONSOLE/SERIALPORTS/CONNECT/ACTION"),
    ("azure-destruction", "What was removed"): (
        either(ends("operationName", "/vaults/delete", "/keys/purge/action", "/deletedVaults/purge/action", "/locks/delete",
                    "/restorePointCollections/delete", "/immutabilityPolicies/delete"), one("operationName", "KeyDelete")), 17,
        "MICROSOFT.KEYVAULT/VAULTS/DELETE"),
    ("azure-keys", "Keys and disks handed out"): (
        either(ends("operationName", "/listKeys/action", "/regenerateKey/action", "/beginGetAccess/action"),
               ends("operationName.value", "/listKeys/action", "/regenerateKey/action"), ends("evt.name", "/BEGINGETACCESS/ACTION")), 6,
        "MICROSOFT.COMPUTE/DISKS/BEGINGETACCESS/ACTION"),
    ("azure-logging-off", "What was deleted"): (
        one("operationName", "Microsoft.Insights/diagnosticSettings/delete", "Microsoft.OperationalInsights/workspaces/delete",
            "Microsoft.EventHub/namespaces/eventhubs/delete", "Microsoft.Insights/alertRules/delete",
            "Microsoft.Insights/actionGroups/delete", "Microsoft.Insights/metricAlerts/delete",
            "Microsoft.Security/alertsSuppressionRules/write"), 13, "Microsoft.Insights/diagnosticSettings/delete"),
    ("entra-policies", "Policies and domains"): (
        one("operationName", "Delete conditional access policy", "Update conditional access policy", "Authentication Methods Policy Update",
            "Set federation settings on domain", "Set domain authentication", "Update policy"), 7, "Set federation settings on domain"),
    ("entra-policies", "Credentials of other issuers"): (
        either(both(one("activityDisplayName", "Update application"),
                    one("targetResources.modifiedProperties.displayName", "FederatedIdentityCredentials")),
               ends("operationName.value", "/federatedIdentityCredentials/write")), 2, "Stratus Red Team FIC application ly1h"),
    ("gcp-access", "Bindings"): (
        both(has(METHOD, "setIamPolicy", "setIamPermissions"), words("allUsers", "allAuthenticatedUsers")), 1,
        "projects/_/buckets/jacks-test-bucket"),
    ("gcp-keys", "Keys and tokens"): (
        ends(METHOD, "CreateServiceAccountKey", "GenerateAccessToken", "SignJwt", "SignBlob"), 3, "GenerateAccessToken"),
    ("gcp-keys", "Issuers of other identities"): (
        has(METHOD, "WorkloadIdentityPools", "WorkforcePools"), 6, "google.iam.admin.v1.WorkforcePools.CreateWorkforcePool"),
    ("gcp-logging-off", "Sinks and buckets"): (
        one(METHOD, *["google.logging.v2.ConfigServiceV2." + m for m in ("DeleteSink", "UpdateSink", "DeleteBucket", "CreateExclusion")]),
        3, "google.logging.v2.ConfigServiceV2.DeleteSink"),
    ("github-pipelines", "Guards switched off"): (
        one("action", "protected_branch.destroy", "repository_ruleset.destroy", "org.disable_two_factor_requirement", "org.saml_disabled",
            "ip_allow_list.disable", "org.disable_oauth_app_restrictions", "secret_scanning.disable", "dependabot_alerts.disable",
            "repository_secret_scanning_push_protection.disable", "business_advanced_security.disabled"), 11, "protected_branch.destroy"),
    ("kubernetes-pods", "Privileged pods"): (
        both(one("objectRef.resource", "pods"), one("requestObject.spec.containers.securityContext.privileged", "true")), 1,
        "k8s.privilege-escalation.privileged-pod"),
    ("kubernetes-pods", "Commands in pods"): (
        either(both(one("objectRef.resource", "pods"), one("objectRef.subresource", "exec", "attach")),
               ends(METHOD, ".pods.exec.create", ".pods.attach.create")), 8, "attacker@example.com"),
    ("kubernetes-pods", "Rights over the cluster"): (
        both(one("objectRef.resource", "clusterroles", "clusterrolebindings", "mutatingwebhookconfigurations",
                 "certificatesigningrequests"), one("verb", "create", "update", "patch")), 32, "mutatingwebhookconfigurations"),
    ("kubernetes-secrets", "Who reads secrets"): (
        either(both(one("objectRef.resource", "secrets"), one("verb", "list", "get", "watch")),
               both(one("attributes.objectRef.resource", "secrets"), one("attributes.http.method", "list"))), 9,
        "attacker@example.com"),
    ("m365-application-keys", "Secrets and certificates"): (
        has("Operation", "Certificates and secrets management"), 8, "Application_2b4222aa-4e87-47a6-ba2d-f71a14475b85"),
    ("m365-application-keys", "New owners"): (
        one("Operation", "Add owner to application.", "Add owner to service principal."), 1, "joey@dutchmasterz.onmicrosoft.com"),
    ("m365-consent", "Consents"): (
        one("Operation", "Consent to application.", "Add delegated permission grant.", "Add app role assignment grant to user.",
            "Add app role assignment to service principal."), 13, "Consent to application."),
    ("m365-mailboxes", "Rules and forwarding"): (
        one("Operation", "New-InboxRule", "Set-InboxRule", "UpdateInboxRules", "Set-MailboxJunkEmailConfiguration"), 1, "New-InboxRule"),
    ("m365-mailboxes", "Permissions by people"): (
        both(one("Operation", "Add-MailboxPermission", "Add-RecipientPermission", "ModifyFolderPermissions"),
             no(has("UserId", "NT AUTHORITY"))), 2, "S-1-5-18"),
    # Both of what it joins.
    ("m365-sign-ins", "Addresses with failures and a success"): (one("Operation", "UserLoggedIn", "UserLoginFailed"), 3, "80.114.221.214"),
    ("m365-sign-ins", "Failures by address"): (one("Operation", "UserLoginFailed"), 5, "80.114.221.214"),
    ("okta-administrators", "Rights, tokens and sessions of others"): (
        one("eventType", "user.account.privilege.grant", "group.privilege.grant", "system.api_token.create",
            "user.session.impersonation.grant", "user.session.impersonation.initiate",
            "application.user_membership.show_password"), 6, "user.session.impersonation.grant"),
    ("okta-administrators", "Factors taken away"): (
        one("eventType", "user.mfa.factor.deactivate", "user.mfa.factor.reset_all", "user.account.reset_password",
            "policy.rule.deactivate", "system.idp.lifecycle.create"), 2, "user.account.reset_password"),
}


def events(folder):
    """The records as each provider writes them, out of what they are kept in."""
    def text(name):
        return subprocess.run(["zstd", "-dcq", "--long=27", os.path.join(folder, name)], capture_output=True,
                              check=True).stdout.decode()
    for line in text("stratus-red-team-logs.jsonl.zst").splitlines():
        logs = json.loads(line)["logs"]
        yield from logs if isinstance(logs, list) else [logs]
    for line in text("panther-rule-tests.jsonl.zst").split("\n"):
        log = json.loads(line)["log"] if line else None
        yield from [log] if isinstance(log, dict) else []
    csv.field_size_limit(1 << 26)
    for row in csv.DictReader(text("m365-unified-audit-log.csv.zst").splitlines()):
        yield json.loads(row["AuditData"])
    for line in text("invictus-aws-cloudtrail.jsonl.zst").splitlines():
        yield json.loads(line)


def wrong_of(result, all_events):
    file = os.path.basename(result["file"])[:-3]
    known = KNOWN.get((file, result["name"]))
    if not known:
        return ["nobody knows what it finds"]
    takes, rows, witness = known
    matched = sum(map(takes, all_events))
    values = [v for row in result["results"] for v in row.values()]
    wrong = []
    if not result["complete"] or result["notes"] or result["cells_cut"]:
        wrong.append("not complete: %s" % result["notes"])
    if result.get("matched") != matched or matched == 0:
        wrong.append("%s events, of which %d are right" % (result.get("matched"), matched))
    if result.get("rows") != rows:
        wrong.append("%s rows, %d are known" % (result.get("rows"), rows))
    if witness not in values:
        wrong.append("%s is not found" % witness)
    return wrong


def check(merlon, top, shared):
    folder = os.path.join(shared, "data", "cloud")
    if not os.path.isdir(folder):
        print("SKIP the book of clouds: no recorded events in", folder)
        return 0, 0
    all_events = list(events(folder))
    with tempfile.TemporaryDirectory() as work:
        path = os.path.join(work, "events.jsonl")
        with open(path, "w", encoding="utf-8") as out:
            out.writelines(json.dumps(e) + "\n" for e in all_events)
        run = subprocess.run([merlon, "hunt", "book", "-o", "json", "--rows", "1000", os.path.join(top, "hunts", "cloud"), path],
                             capture_output=True)
    results = [json.loads(line) for line in run.stdout.decode().split("\n") if line]
    failures = [(r, wrong_of(r, all_events)) for r in results]
    for r, wrong in failures:
        if wrong:
            print("FAIL", r["file"], r["name"], "\n  ", "\n   ".join(wrong))
    seen = {(os.path.basename(r["file"])[:-3], r["name"]) for r in results}
    for missing in sorted(set(KNOWN) - seen):
        print("FAIL", *missing, "did not run")
    failed = sum(1 for _, wrong in failures if wrong) + len(set(KNOWN) - seen)
    if run.returncode != 0:
        print("FAIL the book of clouds: exit", run.returncode, run.stderr.decode())
        failed += 1
    return sum(1 for _, wrong in failures if not wrong), failed
