{{- define "quay.fullname" -}}
{{ printf "%s-quay" .Release.Name | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "quay.selectorLabels" -}}
app.kubernetes.io/name: quay
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}
