-- HAProxy's side of /v1/auth/haproxy: sends the header lines of a request and its peer to iptrustd, and puts the answer's
-- x-iptrust-* headers into the request. haproxy.cfg beside it shows its use.
--
--   setenv IPTRUST_URL, IPTRUST_TOKEN_FILE and, with `rewrite`, IPTRUST_REWRITE; lua-load iptrust.lua
--   http-request lua.iptrust      sets txn.iptrust_status (0: no answer) and txn.iptrust_body

local url = assert(os.getenv("IPTRUST_URL"), "iptrust: IPTRUST_URL is not set")
local TIMEOUT = 500 -- milliseconds

local function read_token(path)
    local file = assert(io.open(path or "", "r"), "iptrust: cannot read IPTRUST_TOKEN_FILE " .. tostring(path))
    local token = file:read("l")
    file:close()
    assert(token ~= nil and token ~= "", "iptrust: the token file is empty")
    return token
end

local token = read_token(os.getenv("IPTRUST_TOKEN_FILE"))
local rewrites = {}
for name in (os.getenv("IPTRUST_REWRITE") or ""):gmatch("[^,%s]+") do
    rewrites[#rewrites + 1] = name:lower()
end

-- Of the connection or of the body, which is not sent along (RFC 9110, 7.6.1), or none of iptrustd's business.
local not_sent = {}
for _, name in ipairs({"host", "connection", "content-length", "transfer-encoding", "keep-alive", "te", "trailer",
                       "upgrade", "expect", "proxy-connection", "http2-settings", "cookie", "authorization"}) do
    not_sent[name] = true
end

local function is_ours(name)
    return name:lower():gsub("[_.]", "-"):sub(1, 10) == "x-iptrust-"
end

-- HAProxy counts the values of a header from 0.
local function values_of(from)
    local values, i = {}, 0
    while from[i] ~= nil do
        values[#values + 1] = from[i]
        i = i + 1
    end
    return values
end

local function question(txn)
    local headers = {}
    for name, values in pairs(txn.http:req_get_headers()) do
        if not not_sent[name:lower()] and not is_ours(name) then
            headers[name] = values_of(values)
        end
    end
    headers["x-iptrust-peer"] = {tostring(txn.f:src() or "")}
    headers["x-iptrust-token"] = {token}
    return headers
end

local function tell(txn, headers)
    for name, values in pairs(headers) do
        if is_ours(name) then
            txn.http:req_set_header(name, values[0])
        end
    end
    if #rewrites == 0 then
        return
    end
    txn.http:req_del_header("forwarded")
    txn.http:req_del_header("true-client-ip")
    for _, name in ipairs(rewrites) do
        txn.http:req_del_header(name)
        if headers[name] ~= nil then
            txn.http:req_set_header(name, headers[name][0])
        end
    end
end

-- HAProxy itself says 502 to 504 of a server that is not there. Every other status was chosen by iptrustd, also where the
-- client made it so by sending too much: that must not count as no answer.
local function is_answer(answer)
    if answer == nil or answer.headers == nil then
        return false
    end
    local type = answer.headers["content-type"]
    if answer.status == 200 then
        return answer.headers["x-iptrust-confidence"] ~= nil
    end
    return answer.status < 502 or answer.status > 504 or (type ~= nil and type[0] == "application/problem+json")
end

core.register_action("iptrust", {"http-req"}, function(txn)
    txn:set_var("txn.iptrust_status", 0)
    local asked, answer = pcall(function()
        return core.httpclient():get({url = url, headers = question(txn), timeout = TIMEOUT})
    end)
    if not asked or not is_answer(answer) then
        return
    end
    txn:set_var("txn.iptrust_status", answer.status)
    txn:set_var("txn.iptrust_body", (answer.body or ""):gsub("%s+$", "") .. "")
    if answer.status == 200 then
        tell(txn, answer.headers)
    end
end)
