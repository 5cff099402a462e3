{{/* The series of this release: the job that a ServiceMonitor or PodMonitor of the operator gives them. */}}
{{- define "iptrustd.series" -}}
job=~{{ printf "(.+/)?%s" (include "iptrustd.fullname" .) | quote }}
{{- if ne .Values.mode "sidecar" }},namespace={{ .Release.Namespace | quote }}{{ end -}}
{{- end }}

{{/* How old contents may be: (list $ seconds "=" or "!~" name). */}}
{{- define "iptrustd.age" -}}
{{- $top := index . 0 -}}
time() - iptrust_list_content_timestamp_seconds{ {{- include "iptrustd.series" $top }}{{ index . 2 -}} } > {{ index . 1 }}
{{- end }}
