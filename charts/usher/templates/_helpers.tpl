{{- define "usher.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "usher.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 52 | trimSuffix "-" }}
{{- else if contains (include "usher.name" .) .Release.Name }}
{{- .Release.Name | trunc 52 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "usher.name" .) | trunc 52 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "usher.selectorLabels" -}}
app.kubernetes.io/name: {{ include "usher.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "usher.labels" -}}
{{ include "usher.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name (.Chart.Version | replace "+" "_") | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "usher.serviceAccountName" -}}
{{- default (include "usher.fullname" .) .Values.serviceAccount.name }}
{{- end }}

{{- define "usher.image" -}}
{{- $repository := .Values.image.repository }}
{{- with .Values.image.registry }}
{{- $repository = printf "%s/%s" . $repository }}
{{- end }}
{{- with .Values.image.digest }}
{{- printf "%s@%s" $repository . }}
{{- else }}
{{- printf "%s:%s" $repository (default .Chart.AppVersion .Values.image.tag) }}
{{- end }}
{{- end }}

{{- define "usher.claimName" -}}
{{- default (printf "%s-state" (include "usher.fullname" .)) .Values.persistence.existingClaim }}
{{- end }}

{{/* The Service of the read API, and the ConfigMap that tells how it is reached. */}}
{{- define "usher.readApiName" -}}
{{- printf "%s-read-api" (include "usher.fullname" .) }}
{{- end }}

{{/* Annotations and labels of a CustomResourceDefinition. */}}
{{- define "usher.crdMetadata" -}}
labels:
  {{- include "usher.labels" . | nindent 2 }}
{{- $annotations := deepCopy .Values.crds.annotations }}
{{- if .Values.crds.keep }}
{{- $_ := set $annotations "helm.sh/resource-policy" "keep" }}
{{- end }}
{{- with $annotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* All that the operator does at the API server. Nothing here may list Secrets: see operator/decisions. */}}
{{- define "usher.rules" -}}
- apiGroups: [provisioning.usher.dev]
  resources: [provisioningconnectors, attributemappings, identitysources, provisioningruns]
  verbs: [get, list, watch]
- apiGroups: [provisioning.usher.dev]
  resources: [provisioningconnectors]
  verbs: [patch]
- apiGroups: [provisioning.usher.dev]
  resources: [provisioningconnectors/status, attributemappings/status, identitysources/status, provisioningruns/status]
  verbs: [patch]
- apiGroups: [provisioning.usher.dev]
  resources: [provisioningruns]
  verbs: [delete]
- apiGroups: [""]
  resources: [configmaps]
  verbs: [get, list, watch]
- apiGroups: [""]
  resources: [secrets]
  verbs: [get]
  {{- with .Values.rbac.secretNames }}
  resourceNames:
    {{- toYaml . | nindent 4 }}
  {{- end }}
- apiGroups: [""]
  resources: [events]
  verbs: [create]
{{- end }}

{{/* A variable of an admission policy: whether the user may approve; . is the plural of the kind. */}}
{{- define "usher.mayApprove" -}}
- name: mayApprove
  expression: >-
    authorizer.group("provisioning.usher.dev").resource("{{ . }}").subresource("approve")
    .namespace(request.namespace).name(request.name).check("update").allowed()
{{- end }}

{{/* A variable of an admission policy: whether one of these annotations is set, or changed. To take it away is free. */}}
{{- define "usher.words" -}}
- name: words
  expression: object.metadata.?annotations.orValue({})
- name: formerWords
  expression: "oldObject == null ? {} : oldObject.metadata.?annotations.orValue({})"
- name: approves
  expression: >-
    ["provisioning.usher.dev/{{ join `", "provisioning.usher.dev/` . }}"].exists(word,
    word in variables.words && (!(word in variables.formerWords) || variables.words[word] != variables.formerWords[word]))
{{- end }}
