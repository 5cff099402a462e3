{{/* Names, labels and numbers. */}}
{{- define "iptrustd.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end }}

{{- define "iptrustd.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" -}}
{{- else if contains (include "iptrustd.name" .) .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "iptrustd.name" .) | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end }}

{{- define "iptrustd.host" -}}
{{ include "iptrustd.fullname" . }}.{{ .Release.Namespace }}.svc.cluster.local
{{- end }}

{{- define "iptrustd.selector" -}}
app.kubernetes.io/name: {{ include "iptrustd.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "iptrustd.labels" -}}
{{ include "iptrustd.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "iptrustd.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{ default (include "iptrustd.fullname" .) .Values.serviceAccount.name }}
{{- else -}}
{{ default "default" .Values.serviceAccount.name }}
{{- end -}}
{{- end }}

{{- define "iptrustd.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ default .Chart.AppVersion .Values.image.tag }}
{{- end -}}
{{- end }}

{{- define "iptrustd.tlsSecret" -}}
{{ default (printf "%s-tls" (include "iptrustd.fullname" .)) .Values.tls.secretName }}
{{- end }}

{{/* Whether a listener of the given name has TLS: (list $ "http"). Empty when not. */}}
{{- define "iptrustd.tls" -}}
{{- $top := index . 0 -}}
{{- if and $top.Values.tls.enabled (ne $top.Values.mode "sidecar") (has (index . 1) $top.Values.tls.listeners) -}}yes{{- end -}}
{{- end }}

{{/* Whether callers reach it by Unix sockets. */}}
{{- define "iptrustd.sockets" -}}
{{- if or (eq .Values.mode "sidecar") (and (eq .Values.mode "daemonset") (eq .Values.daemonset.expose "socket")) -}}yes{{- end -}}
{{- end }}

{{- define "iptrustd.connections" -}}
{{- $limits := .Values.config.limits | default dict -}}
{{- if $limits.connections -}}{{ int $limits.connections }}
{{- else if eq .Values.mode "sidecar" -}}{{ int .Values.sidecar.connections }}
{{- else -}}4096{{- end -}}
{{- end }}

{{/* The memory limit in MiB; docs/OPERATING.md has the same sum in words, tests/helm hold a loaded daemon against it. */}}
{{- define "iptrustd.memory" -}}
{{- $base := 32 -}}
{{- $cores := mul 2 (int .Values.sizing.cores) -}}
{{- $connections := div (add (mul 64 (int (include "iptrustd.connections" .))) 1023) 1024 -}}
{{- $prefixes := div (add (int .Values.sizing.prefixes) 4999) 5000 -}}
{{- $bodies := ternary 256 0 (and .Values.sizing.batches (ne .Values.mode "sidecar")) -}}
{{- $messages := ternary 256 0 .Values.sizing.messages -}}
{{- $fetch := ternary 48 0 (and .Values.refresh (ne .Values.mode "sidecar")) -}}
{{- $geo := ternary (mul 2 (int .Values.geo.sizeMiB)) 0 .Values.geo.enabled -}}
{{- add $base $cores $connections $prefixes $bodies $messages $fetch $geo (int .Values.sizing.extraMiB) -}}
{{- end }}

{{/* A duration of iptrustd's configuration in whole seconds. */}}
{{- define "iptrustd.seconds" -}}
{{- $n := regexFind "^[0-9]+" . | int64 -}}
{{- $unit := regexFind "[a-z]+$" . -}}
{{- if eq $unit "ms" -}}{{ div $n 1000 }}
{{- else -}}{{ mul $n (index (dict "s" 1 "m" 60 "h" 3600 "d" 86400) $unit) }}{{- end -}}
{{- end }}

{{/* What no schema can say. */}}
{{- define "iptrustd.check" -}}
{{- $v := .Values -}}
{{- if eq $v.mode "sidecar" -}}
{{- if and (empty $v.central) (empty $v.config.lists) }}{{ fail "mode sidecar: `central` says where lists and policies come from (or give both in `config`)" }}{{ end -}}
{{- range $name, $list := $v.config.lists -}}
{{- if and (or $list.url $list.provider) (not (or (hasKey $list "prefixes") (hasKey $list "file"))) }}{{ fail (printf "mode sidecar: list %s would be fetched by every pod; let `central` deliver it" $name) }}{{ end -}}
{{- end -}}
{{- if $v.geo.enabled }}{{ fail "mode sidecar: databases belong into a central service, a copy in every pod costs its size" }}{{ end -}}
{{- end -}}
{{- if eq $v.state.type "persistentVolumeClaim" -}}
{{- if ne $v.mode "deployment" }}{{ fail "state.type persistentVolumeClaim is for mode deployment" }}{{ end -}}
{{- if or $v.autoscaling.enabled (ne (int $v.replicas) 1) }}{{ fail "state.type persistentVolumeClaim: one writer per directory, so autoscaling.enabled=false and replicas=1" }}{{ end -}}
{{- end -}}
{{- if and (eq $v.state.type "hostPath") (ne $v.mode "daemonset") }}{{ fail "state.type hostPath is for mode daemonset" }}{{ end -}}
{{- if and $v.geo.enabled (not $v.geo.secretName) }}{{ fail "geo.secretName: the Secret with account and key" }}{{ end -}}
{{- if and $v.serveCentral.enabled (not $v.serveCentral.secretName) }}{{ fail "serveCentral.secretName: the Secret with the signing key" }}{{ end -}}
{{- if $v.serveCentral.enabled -}}
{{- if ne $v.mode "deployment" }}{{ fail "serveCentral is for mode deployment: a sidecar asks one daemon, because each has serials of its own" }}{{ end -}}
{{- if or $v.autoscaling.enabled (ne (int $v.replicas) 1) }}{{ fail "serveCentral: a sidecar asks one daemon, because each has serials of its own, so autoscaling.enabled=false and replicas=1" }}{{ end -}}
{{- if not (include "iptrustd.tls" (list . "http")) }}{{ fail "serveCentral: sidecars take https alone, so tls.enabled=true with http among tls.listeners" }}{{ end -}}
{{- if $v.tls.client.required }}{{ fail "serveCentral: sidecars show no certificate, so tls.client.required=false, and their addresses in config.callers" }}{{ end -}}
{{- end -}}
{{- if and $v.tls.enabled $v.tls.certManager.enabled (not $v.tls.certManager.issuerRef.name) }}{{ fail "tls.certManager.issuerRef.name: who signs" }}{{ end -}}
{{- if and $v.autoscaling.enabled (gt (int $v.autoscaling.minReplicas) (int $v.autoscaling.maxReplicas)) }}{{ fail "autoscaling: minReplicas is greater than maxReplicas" }}{{ end -}}
{{- end }}
