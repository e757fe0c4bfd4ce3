# What the hooks of azd share on Windows. common.sh is the twin that the tests run.
#   SKIP_CHECKS    names of checks that do not fit here, separated by blanks
#   PATIENCE_S     how long the app may take to answer, in seconds (300)
#   PAUSE_S        between two looks at it (5)
Set-StrictMode -Version 3
$ErrorActionPreference = 'Continue'  # what az refuses is looked at, not thrown
$script:failures = 0

function Env([string] $name, [string] $otherwise = '') {
    $value = [Environment]::GetEnvironmentVariable($name)
    if ([string]::IsNullOrEmpty($value)) { $otherwise } else { $value }
}

function Say([string] $text) { Write-Host $text }
function Ok([string] $name, [string] $text) { Say "ok       ${name}: $text" }
function Skipped([string] $name, [string] $text) { Say "skipped  ${name}: $text" }
function Note([string] $name, [string] $text, [string] $how = '') {
    if ($how) { $text = "$text → $how" }
    Say "note     ${name}: $text"
}
function NotOk([string] $name, [string] $text, [string] $how) {
    [Console]::Error.WriteLine("not ok   ${name}: $text → $how")
    $script:failures += 1
}

# Whether this check is to be made here.
function Wanted([string] $name) {
    if ((Env 'SKIP_CHECKS') -split '\s+' -contains $name) {
        Skipped $name 'as SKIP_CHECKS says'
        return $false
    }
    $true
}

# The text as one line for each line, without blank ends.
function Lines($text) { @($text | ForEach-Object { "$_".TrimEnd() } | Where-Object { $_ }) }

# End with status 1 where something was not ok.
function End {
    if ($script:failures -gt 0) {
        [Console]::Error.WriteLine("$script:failures not ok. Mend it and run this again; a check that is wrong here is left out by: azd env set SKIP_CHECKS `"<names>`"")
        exit 1
    }
}
